import json

from spin_sdk.http import IncomingHandler as BaseHandler, Request, Response

TABLE = {n: str(n) * 3 for n in range(50000)}
TEXT = "0123456789" * 100000


class IncomingHandler(BaseHandler):
    def handle_request(self, request: Request) -> Response:
        TABLE[0] = "changed" + TABLE[0]
        answer = {"entries": len(TABLE), "first": TABLE[0], "last": TABLE[49999], "length": len(TEXT), "sum": sum(map(len, TABLE.values()))}
        return Response(200, {"content-type": "application/json"}, bytes(json.dumps(answer), "utf-8"))
