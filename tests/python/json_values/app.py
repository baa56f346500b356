import json

from spin_sdk.http import IncomingHandler as BaseHandler, Request, Response


class IncomingHandler(BaseHandler):
    def handle_request(self, request: Request) -> Response:
        value = json.loads(request.body or b"null")
        print(type(value).__name__, repr(value))
        if value == "bad":
            json.loads("{")
        return Response(200, {"content-type": "application/json"}, bytes(json.dumps({"value": value, "float": 0.1 + 0.2, "big": 2 ** 100, "nested": {"a": [1, None, True, {"b": "\u00e9\n"}]}}), "utf-8"))
