from spin_sdk.http import Request, Response


class Handler:
    def handle_request(self, request: Request) -> Response:
        return Response(200, {}, b"")
