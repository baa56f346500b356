import codecs
import email.message
import json
import time

from spin_sdk.http import IncomingHandler as BaseHandler, Request, Response


class IncomingHandler(BaseHandler):
    def handle_request(self, request):
        answer = {}
        for name, action in {
            "codec": lambda: codecs.encode("Hello", "rot13"),
            "parse": lambda: time.strptime("2026", "%Y").tm_year,
            "message": lambda: email.message.Message().as_string(),
        }.items():
            try:
                answer[name] = action()
            except Exception as error:
                answer[name] = f"{type(error).__name__}: {error}"
        return Response(200, {"content-type": "application/json"}, bytes(json.dumps(answer), "utf-8"))
