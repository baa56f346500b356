import sys

from spin_sdk.http import IncomingHandler as BaseHandler, Request, Response


class IncomingHandler(BaseHandler):
    def handle_request(self, request: Request) -> Response:
        if request.uri == "/exit":
            sys.exit(3)
        return Response(200, {"content-type": "text/plain; charset=utf-8"}, bytes("still here", "utf-8"))
