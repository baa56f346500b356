import json
import traceback

from spin_sdk.http import IncomingHandler as BaseHandler, Request, Response


class IncomingHandler(BaseHandler):
    def handle_request(self, request):
        def fail():
            return 1 / 0


        try:
            fail()
        except ZeroDivisionError:
            answer = traceback.format_exc().splitlines()
        return Response(200, {"content-type": "application/json"}, bytes(json.dumps(answer), "utf-8"))
