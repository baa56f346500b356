import json
import sys

from spin_sdk.http import IncomingHandler as BaseHandler, Request, Response


print("printed while it loads")
sys.stdout.write("unfinished ")
sys.stderr.write("on stderr")


class IncomingHandler(BaseHandler):
    def handle_request(self, request: Request) -> Response:
        print("printed in the request")
        answer = "printed"
        return Response(200, {"content-type": "application/json"}, bytes(json.dumps(answer), "utf-8"))
