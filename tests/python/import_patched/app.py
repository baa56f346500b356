import json
import json as patched
import math

from spin_sdk.http import IncomingHandler as BaseHandler, Request, Response

ORIGINAL = patched.dumps
setattr(math, "tau_twice", math.tau * 2)
patched.dumps = lambda value, **options: ORIGINAL(["patched", value], **options)


class IncomingHandler(BaseHandler):
    def handle_request(self, request):
        answer = {"twice": getattr(math, "tau_twice")}
        return Response(200, {"content-type": "application/json"}, bytes(json.dumps(answer), "utf-8"))
