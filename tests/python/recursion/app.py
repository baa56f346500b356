import json
import sys

from spin_sdk.http import IncomingHandler as BaseHandler, Request, Response

def depth(n: int) -> int:
    return 1 + depth(n + 1)


def nested(levels: int) -> list:  # type: ignore[type-arg]
    value: list = []  # type: ignore[type-arg]
    for _ in range(levels):
        value = [value]
    return value


class IncomingHandler(BaseHandler):
    def handle_request(self, request: Request) -> Response:
        try:
            reached = depth(0)
        except RecursionError as error:
            reached = -1
            print("too deep", str(error))
        return Response(200, {"content-type": "application/json"}, bytes(json.dumps({"reached": reached, "limit": sys.getrecursionlimit(), "json": len(json.dumps(nested(100)))}), "utf-8"))
