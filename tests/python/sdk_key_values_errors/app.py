import json

from spin_sdk import key_value
from spin_sdk.http import IncomingHandler as BaseHandler, Request, Response


class IncomingHandler(BaseHandler):
    def handle_request(self, request):
        answer = {}
        for name, action in {
            "other store": lambda: key_value.open("other"),
            "default by name": lambda: type(key_value.open("default")).__name__,
            "no name": lambda: key_value.open(""),
            "empty key": lambda: key_value.open_default().get(""),
            "long key": lambda: key_value.open_default().get("k" * 5000),
        }.items():
            try:
                answer[name] = repr(action())
            except BaseException as error:
                answer[name] = f"{type(error).__name__}: {error} {getattr(error, 'value', '')}"
        return Response(200, {"content-type": "application/json"}, bytes(json.dumps(answer), "utf-8"))
