from spin_sdk.http import IncomingHandler as BaseHandler, Request, Response


class Broken(Exception):
    pass


try:
    LIMIT = int("many")
except ValueError as error:
    raise Broken("the limit is no number") from error


class IncomingHandler(BaseHandler):
    def handle_request(self, request: Request) -> Response:
        return Response(200, {}, b"")
