import gc
import json

from spin_sdk.http import IncomingHandler as BaseHandler, Request, Response


class IncomingHandler(BaseHandler):
    def handle_request(self, request: Request) -> Response:
        answer = {"objects": len(gc.get_objects()) > 0, "frozen": gc.get_freeze_count()}
        return Response(200, {"content-type": "application/json"}, bytes(json.dumps(answer), "utf-8"))
