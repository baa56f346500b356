from spin_sdk.http import IncomingHandler as BaseHandler, Request, Response

SHARED = {"x-shared": "yes"}


class IncomingHandler(BaseHandler):
    def handle_request(self, request: Request) -> Response:
        before = dict(SHARED)
        response = Response(200, SHARED, str(sorted(before)).encode())
        response.headers["x-late"] = "added"
        response.status = 203
        return response
