import json

from spin_sdk.http import IncomingHandler as BaseHandler, Request, Response

TABLE = [bytes([i % 251]) * 1000 for i in range(3000)]


class IncomingHandler(BaseHandler):
    def handle_request(self, request: Request) -> Response:
        block = bytearray(20_000_000)
        block[::4096] = b"\x01" * len(block[::4096])
        return Response(200, {"content-type": "application/json"}, bytes(json.dumps({"sum": sum(block), "table": len(b"".join(TABLE)), "last": TABLE[-1][:3].hex(), "body": len(request.body or b"")}), "utf-8"))
