import sys

from spin_sdk.http import IncomingHandler as BaseHandler, Request, Response

if __name__ != "tests":
    sys.exit("not today")


class IncomingHandler(BaseHandler):
    def handle_request(self, request: Request) -> Response:
        return Response(200, {}, b"")
