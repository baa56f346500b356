import json
import pprint
import reprlib

from spin_sdk.http import IncomingHandler as BaseHandler, Request, Response


class IncomingHandler(BaseHandler):
    def handle_request(self, request: Request) -> Response:
        data = {"key": list(range(30)), "nested": {"a": ("b",) * 12}, "text": "word " * 30}
        circle: list[object] = [1]
        circle.append(circle)
        answer = [pprint.pformat(data, width=40), reprlib.repr(list(range(100))), repr(circle), pprint.pformat({3: 1, 1: 2}, compact=True), pprint.isrecursive(circle)]
        return Response(200, {"content-type": "application/json"}, bytes(json.dumps(answer), "utf-8"))
