from spin_sdk import variables
from spin_sdk.http import IncomingHandler as BaseHandler, Request, Response

GREETING = variables.get("greeting")


class IncomingHandler(BaseHandler):
    def handle_request(self, request: Request) -> Response:
        return Response(200, {}, GREETING.encode())
