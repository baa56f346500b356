import json

from spin_sdk import variables
from spin_sdk.http import IncomingHandler as BaseHandler, Request, Response


class IncomingHandler(BaseHandler):
    def handle_request(self, request):
        answer = {}
        for name in ["greeting", "GREETING", "", "a-b", "a.b", "x" * 200, "größe", "undefined"]:
            try:
                answer[name] = variables.get(name)
            except Exception as error:
                answer[name] = f"{type(error).__name__}: {getattr(error, 'value', error)!r}"
        return Response(200, {"content-type": "application/json"}, bytes(json.dumps(answer), "utf-8"))
