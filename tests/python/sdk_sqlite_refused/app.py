from spin_sdk import sqlite
from spin_sdk.http import IncomingHandler as BaseHandler, Request, Response


class IncomingHandler(BaseHandler):
    def handle_request(self, request: Request) -> Response:
        with sqlite.open_default() as connection:
            return Response(200, {}, str(connection).encode())
