import json

from spin_sdk import key_value
from spin_sdk.http import IncomingHandler as BaseHandler, Request, Response


class IncomingHandler(BaseHandler):
    def handle_request(self, request: Request) -> Response:
        with key_value.open_default() as store:
            before = [(store.get(key) or b"-").hex() for key in ["empty", "zero", "키", "a/b c"]]
            store.set("empty", b"")
            store.set("zero", bytes(range(256)))
            store.set("키", "값".encode())
            store.set("a/b c", b"slash")
            answer = {"before": before, "keys": sorted(store.get_keys()), "empty": store.get("empty") == b"", "exists": store.exists("empty")}
        return Response(200, {"content-type": "application/json"}, bytes(json.dumps(answer), "utf-8"))
