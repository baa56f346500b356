import sys

from spin_sdk.http import IncomingHandler as BaseHandler, Request, Response

STATE: list[str] = []


class IncomingHandler(BaseHandler):
    def handle_request(self, request: Request) -> Response:
        STATE.append(request.uri)
        if request.uri == "/fail":
            raise ValueError("failed with state")
        return Response(200, {}, f"{STATE} {sys.exc_info()}".encode())
