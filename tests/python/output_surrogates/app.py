from spin_sdk.http import IncomingHandler as BaseHandler, Request, Response


class IncomingHandler(BaseHandler):
    def handle_request(self, request: Request) -> Response:
        print("before")
        print("half \ud83d")
        return Response(200, {}, b"never")
