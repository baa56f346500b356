from spin_sdk.http import IncomingHandler as BaseHandler, Response


class IncomingHandler(BaseHandler):
    def handle_request(self, request):
        wanted = request.uri[1:]
        if wanted == "text":
            return Response("200", {}, b"")
        if wanted == "float":
            return Response(200.0, {}, b"")
        return Response(int(wanted), {}, b"body")
