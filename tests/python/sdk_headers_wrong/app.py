from spin_sdk.http import IncomingHandler as BaseHandler, Response


class IncomingHandler(BaseHandler):
    def handle_request(self, request):
        headers = {
            "/space": {"x a": "1"},
            "/break": {"x-a": "1\r\nx-b: 2"},
            "/empty": {"": "1"},
            "/number": {"x-a": 5},
            "/none": {"x-a": None},
            "/long": {"x-a": "l" * 3000},
            "/hop": {"connection": "close"},
        }
        return Response(200, headers[request.uri], b"body")
