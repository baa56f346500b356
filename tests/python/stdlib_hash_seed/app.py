from spin_sdk.http import IncomingHandler as BaseHandler, Request, Response

HASH = hash("text")


class IncomingHandler(BaseHandler):
    def handle_request(self, request: Request) -> Response:
        return Response(200, {}, f"{HASH == hash('text')} {HASH} {hash(5)} {hash(2.5)}".encode())
