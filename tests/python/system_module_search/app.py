import json
import sys

from spin_sdk.http import IncomingHandler as BaseHandler, Request, Response


class IncomingHandler(BaseHandler):
    def handle_request(self, request):
        answer = {"path": sys.path, "finders": [getattr(finder, "__name__", type(finder).__name__) for finder in sys.meta_path], "hooks": len(sys.path_hooks)}
        return Response(200, {"content-type": "application/json"}, bytes(json.dumps(answer), "utf-8"))
