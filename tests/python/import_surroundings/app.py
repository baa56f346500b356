import json
import os
import sys
import time

from spin_sdk.http import IncomingHandler as BaseHandler, Request, Response

SEEN = {"environment": sorted(os.environ), "argv": len(sys.argv), "time": time.time() > 0, "stack": sys.getrecursionlimit(), "name": __name__}
sys.setrecursionlimit(300)


class IncomingHandler(BaseHandler):
    def handle_request(self, request: Request) -> Response:
        answer = {"then": SEEN, "limit": sys.getrecursionlimit()}
        return Response(200, {"content-type": "application/json"}, bytes(json.dumps(answer), "utf-8"))
