from spin_sdk.http import IncomingHandler as BaseHandler, Request, Response


class IncomingHandler(BaseHandler):
    def handle_request(self, request: Request) -> Response:
        return Response(200, {"x-city": "서울", "x-name": "na\u00efve", "x-empty": ""}, "그래".encode())
