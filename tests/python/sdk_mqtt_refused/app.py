import json

from spin_sdk import mqtt
from spin_sdk.http import IncomingHandler as BaseHandler, Request, Response


class IncomingHandler(BaseHandler):
    def handle_request(self, request):
        try:
            with mqtt.open("mqtt://localhost:1883", "user", "secret", 5) as connection:
                answer = repr(connection)
        except BaseException as error:
            answer = f"{type(error).__name__}: {getattr(error, 'value', error)!r}"
        return Response(200, {"content-type": "application/json"}, bytes(json.dumps(answer), "utf-8"))
