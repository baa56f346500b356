import gc
import json

from spin_sdk.http import IncomingHandler as BaseHandler, Request, Response


class Circle:
    made = 0

    def __init__(self):
        Circle.made += 1
        self.me = self

    def __del__(self):
        Circle.made -= 1


for _ in range(5):
    Circle()


class IncomingHandler(BaseHandler):
    def handle_request(self, request):
        for _ in range(10):
            Circle()
        gc.collect()
        answer = {"left": Circle.made, "enabled": gc.isenabled(), "threshold": gc.get_threshold(), "debug": gc.get_debug(), "garbage": gc.garbage, "tracked": [gc.is_tracked([]), gc.is_tracked(5)]}
        return Response(200, {"content-type": "application/json"}, bytes(json.dumps(answer), "utf-8"))
