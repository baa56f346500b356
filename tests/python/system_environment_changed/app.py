import json
import os

from spin_sdk.http import IncomingHandler as BaseHandler, Request, Response


os.environ["AT_IMPORT"] = "set"


class IncomingHandler(BaseHandler):
    def handle_request(self, request: Request) -> Response:
        before = {name: os.environ.get(name) for name in ["AT_IMPORT", "GREETING", "CHANGED", "PATH", "HOME"]}
        os.environ["CHANGED"] = "yes"
        os.environ["GREETING"] = "hello"
        os.putenv("PUT", "x")
        answer = {"before": before, "after": [os.environ["CHANGED"], os.getenv("GREETING"), os.getenv("PUT"), os.path.expandvars("$GREETING!")]}
        return Response(200, {"content-type": "application/json"}, bytes(json.dumps(answer), "utf-8"))
