from spin_sdk.http import IncomingHandler as BaseHandler, Request, Response


class IncomingHandler(BaseHandler):
    def handle_request(self, request: Request) -> Response:
        body = request.body or b""
        return Response(200, {"content-type": "application/octet-stream", "x-length": str(len(body))}, body[::-1])
