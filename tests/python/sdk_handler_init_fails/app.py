from spin_sdk.http import IncomingHandler as BaseHandler, Request, Response


class IncomingHandler(BaseHandler):
    def __init__(self) -> None:
        raise RuntimeError("cannot be made")

    def handle_request(self, request: Request) -> Response:
        return Response(200, {}, b"")
