import json
import sys

from spin_sdk.http import IncomingHandler as BaseHandler, Request, Response


def depth(n):
    try:
        return depth(n + 1)
    except RecursionError:
        return n


class IncomingHandler(BaseHandler):
    def handle_request(self, request):
        answer = [depth(0), sys.getrecursionlimit()]
        return Response(200, {"content-type": "application/json"}, bytes(json.dumps(answer), "utf-8"))
