import contextvars
import json

from spin_sdk.http import IncomingHandler as BaseHandler, Request, Response

REQUEST = contextvars.ContextVar("request", default="none")
REQUEST.set("from the import")
OTHER = contextvars.copy_context()


class IncomingHandler(BaseHandler):
    def handle_request(self, request):
        before = REQUEST.get()
        token = REQUEST.set(request.uri)
        inside = OTHER.run(REQUEST.get)
        during = REQUEST.get()
        REQUEST.reset(token)
        answer = [before, inside, during, REQUEST.get(), len(contextvars.copy_context())]
        return Response(200, {"content-type": "application/json"}, bytes(json.dumps(answer), "utf-8"))
