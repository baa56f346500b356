import json
from spin_sdk import key_value

from spin_sdk.http import IncomingHandler as BaseHandler, Request, Response


class IncomingHandler(BaseHandler):
    def handle_request(self, request: Request) -> Response:
        with key_value.open_default() as store:
            before = store.get("a")
            store.set("a", (before or b"") + b"x")
            store.set("b", b"\x00\xff")
            found = [store.exists("a"), store.exists("z"), sorted(store.get_keys()), (store.get("b") or b"").hex()]
            if request.uri == "/delete":
                store.delete("a")
                store.delete("nothing")
            after = store.get("a")
        return Response(200, {"content-type": "application/json"}, bytes(json.dumps({"before": str(before), "after": str(after), "found": found}), "utf-8"))
