from spin_sdk.http import IncomingHandler as BaseHandler


class IncomingHandler(BaseHandler):
    def handle_request(self, request):
        from spin_sdk.http import Response

        kinds = {
            "/bytes": b"abc",
            "/bytearray": bytearray(b"abc"),
            "/memoryview": memoryview(b"abc"),
            "/text": "abc",
            "/number": 5,
            "/empty": b"",
        }
        if request.uri == "/none":
            return None
        if request.uri == "/tuple":
            return (200, {}, b"abc")
        return Response(200, {}, kinds[request.uri])
