from tools.numbers_of import limit
from spin_sdk.http import IncomingHandler as BaseHandler, Request, Response

LIMIT = limit("x")


class IncomingHandler(BaseHandler):
    def handle_request(self, request: Request) -> Response:
        return Response(200, {}, b"")
