import importlib

from spin_sdk.http import IncomingHandler as BaseHandler, Request, Response


class IncomingHandler(BaseHandler):
    def handle_request(self, request: Request) -> Response:
        plugin = importlib.import_module("plugins." + request.uri[1:])
        return Response(200, {}, plugin.NAME.encode())
