from spin_sdk.http import IncomingHandler as BaseHandler, Request, Response


def make_handler(greeting: str) -> type[BaseHandler]:
    class Handler(BaseHandler):
        def handle_request(self, request: Request) -> Response:
            return Response(200, {}, f"{greeting} {request.uri} {type(self).__qualname__}".encode())

    return Handler


IncomingHandler = make_handler("hello")
