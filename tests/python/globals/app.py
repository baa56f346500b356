import json

from spin_sdk.http import IncomingHandler as BaseHandler, Request, Response

COUNT = 0
SEEN: list[str] = []


class Registry:
    total = 0


class IncomingHandler(BaseHandler):
    def handle_request(self, request: Request) -> Response:
        global COUNT
        COUNT += 1
        SEEN.append(request.uri)
        Registry.total += 2
        return Response(200, {"content-type": "application/json"}, bytes(json.dumps({"count": COUNT, "seen": SEEN, "total": Registry.total}), "utf-8"))
