from spin_sdk import key_value
from spin_sdk.http import IncomingHandler as BaseHandler


class IncomingHandler(BaseHandler):
    def handle_request(self, request):
        from spin_sdk.http import Response

        with key_value.open_default() as store:
            if request.uri == "/value":
                store.set("a", "text")
            if request.uri == "/key":
                store.get(5)
            return Response(200, {}, str(store.get("a")).encode())
