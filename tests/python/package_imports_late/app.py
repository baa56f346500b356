from spin_sdk.http import IncomingHandler as BaseHandler, Request, Response

print("main loads")


class IncomingHandler(BaseHandler):
    def handle_request(self, request: Request) -> Response:
        from parts import late

        return Response(200, {}, late.NAME.encode())
