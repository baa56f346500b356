import json
import uuid

from spin_sdk.http import IncomingHandler as BaseHandler, Request, Response

LOADED = uuid.uuid4()


class IncomingHandler(BaseHandler):
    def handle_request(self, request: Request) -> Response:
        new = [uuid.uuid4() for _ in range(50)]
        answer = {
            "different": len({*new, LOADED}),
            "versions": sorted({item.version for item in new if item.version}),
            "three": str(uuid.uuid3(uuid.NAMESPACE_DNS, "example.com")),
            "five": str(uuid.uuid5(uuid.NAMESPACE_URL, "http://example.com/é")),
            "fields": uuid.UUID(int=5).urn,
            "one": uuid.uuid1().version,
        }
        return Response(200, {"content-type": "application/json"}, bytes(json.dumps(answer), "utf-8"))
