import json

from spin_sdk import redis
from spin_sdk.http import IncomingHandler as BaseHandler, Request, Response


class IncomingHandler(BaseHandler):
    def handle_request(self, request):
        try:
            answer = repr(redis.open("redis://localhost:6379").get("a"))
        except BaseException as error:
            answer = f"{type(error).__name__}: {getattr(error, 'value', error)!r}"
        return Response(200, {"content-type": "application/json"}, bytes(json.dumps(answer), "utf-8"))
