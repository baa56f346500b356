from spin_sdk.http import IncomingHandler as BaseHandler, Request, Response


class Faulty:
    def __del__(self) -> None:
        raise ValueError("while it goes")


class IncomingHandler(BaseHandler):
    def handle_request(self, request: Request) -> Response:
        item = Faulty()
        del item
        return Response(200, {}, b"went on")
