import atexit
import json
import sys

from spin_sdk.http import IncomingHandler as BaseHandler, Request, Response


def hook(kind, error, trace):
    print("hook", kind.__name__, error)


sys.excepthook = hook
atexit.register(print, "at exit")


class IncomingHandler(BaseHandler):
    def handle_request(self, request):
        print("hook is", sys.excepthook.__name__)
        atexit.register(print, "at exit too")
        sys.displayhook(5)
        answer = [sys.excepthook is hook, sys.unraisablehook is sys.__unraisablehook__]
        return Response(200, {"content-type": "application/json"}, bytes(json.dumps(answer), "utf-8"))
