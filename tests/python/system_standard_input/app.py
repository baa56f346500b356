import json
import sys

from spin_sdk.http import IncomingHandler as BaseHandler, Request, Response


class IncomingHandler(BaseHandler):
    def handle_request(self, request):
        answer = {"read": sys.stdin.read(), "line": sys.stdin.readline(), "encoding": sys.stdin.encoding}
        try:
            answer["input"] = input()
        except EOFError as error:
            answer["input"] = str(error)
        return Response(200, {"content-type": "application/json"}, bytes(json.dumps(answer), "utf-8"))
