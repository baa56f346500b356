from spin_sdk.http import IncomingHandler as BaseHandler, Request, Response


def depth(n: int) -> int:
    return depth(n + 1) + 1


DEPTH = depth(0)


class IncomingHandler(BaseHandler):
    def handle_request(self, request: Request) -> Response:
        return Response(200, {}, b"")
