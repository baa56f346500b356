import json

from spin_sdk import key_value
from spin_sdk.http import IncomingHandler as BaseHandler, Request, Response

CALLS = 0


class IncomingHandler(BaseHandler):
    def handle_request(self, request: Request) -> Response:
        global CALLS
        CALLS += 1
        with key_value.open_default() as store:
            count = int(store.get("count") or b"0") + CALLS
            store.set("count", str(count).encode())
        answer = {"count": count, "calls": CALLS}
        return Response(200, {"content-type": "application/json"}, bytes(json.dumps(answer), "utf-8"))
