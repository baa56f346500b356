import json

from spin_sdk.http import IncomingHandler as BaseHandler, Request, Response

GONE = []


class Circle:
    def __init__(self):
        self.me = self

    def __del__(self):
        GONE.append(1)


class IncomingHandler(BaseHandler):
    def handle_request(self, request):
        for _ in range(20000):
            Circle()
        answer = {"collected": len(GONE) > 10000}
        return Response(200, {"content-type": "application/json"}, bytes(json.dumps(answer), "utf-8"))
