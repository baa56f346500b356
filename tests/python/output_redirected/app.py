import io
import json
import sys

from spin_sdk.http import IncomingHandler as BaseHandler, Request, Response

KEPT = sys.stdout


class IncomingHandler(BaseHandler):
    def handle_request(self, request):
        sys.stdout = io.StringIO()
        print("captured")
        captured = sys.stdout.getvalue()
        sys.stdout = KEPT
        print("shown", KEPT is sys.__stdout__)
        sys.stderr = sys.stdout
        print("to both", file=sys.stderr)
        answer = [captured, sys.stdout.fileno(), sys.stdout.name]
        return Response(200, {"content-type": "application/json"}, bytes(json.dumps(answer), "utf-8"))
