from spin_sdk import key_value
from spin_sdk.http import IncomingHandler as BaseHandler, Request, Response

with key_value.open_default() as store:
    FIRST = store.get("first")


class IncomingHandler(BaseHandler):
    def handle_request(self, request: Request) -> Response:
        return Response(200, {}, str(FIRST).encode())
