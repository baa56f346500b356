from spin_sdk.http import IncomingHandler as BaseHandler, Request, Response


class Routed(BaseHandler):
    def handle_request(self, request: Request) -> Response:
        name = request.uri.split("?")[0].strip("/") or "index"
        method = getattr(self, f"on_{name}", None)
        return method(request) if method else Response(404, {}, b"no route")


class Logged(Routed):
    def handle_request(self, request: Request) -> Response:
        print("->", request.method, request.uri)
        response = super().handle_request(request)
        print("<-", response.status)
        return response


class IncomingHandler(Logged):
    def on_index(self, request: Request) -> Response:
        return Response(200, {}, b"index")
