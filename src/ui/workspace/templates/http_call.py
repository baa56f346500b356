import json
import os

from spin_sdk.http import IncomingHandler as BaseHandler, Request, Response, send

# The host has to be among the function's allowed outbound hosts.
DEFAULT_TARGET = "https://example.com/"


class IncomingHandler(BaseHandler):
    def handle_request(self, request: Request) -> Response:
        # Environment variables are there while a request runs, not while the module is built.
        target = os.environ.get("TARGET_URL", DEFAULT_TARGET)
        try:
            upstream = send(Request("GET", target, {"accept": "*/*"}, None))
        except Exception as error:
            print("call failed:", target, repr(error))
            return self.answer(502, {"target": target, "error": "The service could not be called."})
        size = len(upstream.body or b"")
        return self.answer(200, {"target": target, "status": upstream.status, "bytes": size})

    def answer(self, status: int, value: dict[str, object]) -> Response:
        return Response(status, {"content-type": "application/json"}, json.dumps(value).encode())
