import first
from spin_sdk.http import IncomingHandler as BaseHandler, Request, Response


class IncomingHandler(BaseHandler):
    def handle_request(self, request: Request) -> Response:
        return Response(200, {}, f"{first.value()} {first.second.back()}".encode())
