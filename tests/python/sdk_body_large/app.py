import hashlib

from spin_sdk.http import IncomingHandler as BaseHandler, Request, Response


class IncomingHandler(BaseHandler):
    def handle_request(self, request: Request) -> Response:
        size = int(request.uri[1:])
        body = (b"0123456789abcdef" * (size // 16 + 1))[:size]
        return Response(200, {"x-digest": hashlib.sha256(body).hexdigest()}, body)
