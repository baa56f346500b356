from spin_sdk.http import IncomingHandler as BaseHandler, Request, Response

class Refused(Exception):
    pass


class IncomingHandler(BaseHandler):
    def handle_request(self, request: Request) -> Response:
        if request.uri == "/value":
            raise ValueError("no value for \u00fc")
        if request.uri == "/refused":
            try:
                raise KeyError("missing")
            except KeyError as error:
                raise Refused("refused") from error
        if request.uri == "/zero":
            return Response(200, {}, bytes(1 // 0))
        return Response(200, {"content-type": "text/plain; charset=utf-8"}, bytes("fine", "utf-8"))
