import sys

from spin_sdk.http import IncomingHandler as BaseHandler, Request, Response


class IncomingHandler(BaseHandler):
    def handle_request(self, request: Request) -> Response:
        print("before")
        sys.stdout.close()
        try:
            print("after")
        except ValueError as error:
            return Response(200, {}, str(error).encode())
        return Response(200, {}, b"printed")
