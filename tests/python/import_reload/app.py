import calendar
import importlib
import json
import sys

from spin_sdk.http import IncomingHandler as BaseHandler, Request, Response

MODULES = "calendar" in sys.modules


class IncomingHandler(BaseHandler):
    def handle_request(self, request):
        calendar.OWN = "set"
        try:
            again = importlib.reload(calendar)
            answer = [MODULES, again is calendar, getattr(calendar, "OWN", None)]
        except BaseException as error:
            answer = f"{type(error).__name__}: {error}"
        return Response(200, {"content-type": "application/json"}, bytes(json.dumps(answer), "utf-8"))
