from spin_sdk.http import IncomingHandler as BaseHandler, Request, Response


class IncomingHandler(BaseHandler):
    def handle_request(self, request: Request) -> Response:
        if request.uri == "/large":
            try:
                block = bytearray(2**31)
                return Response(200, {}, str(len(block)).encode())
            except MemoryError:
                return Response(507, {}, b"too large")
        return Response(200, {}, b"small")
