import json
import os
import sys

from spin_sdk.http import IncomingHandler as BaseHandler, Request, Response

EARLY = os.environ.get("GREETING")


class IncomingHandler(BaseHandler):
    def handle_request(self, request: Request) -> Response:
        return Response(200, {"content-type": "application/json"}, bytes(json.dumps({"early": EARLY, "now": os.environ.get("GREETING"), "all": sorted(os.environ), "getenv": os.getenv("NOTHING", "default"), "version": list(sys.version_info[:2]), "platform": sys.platform, "order": sys.byteorder, "name": __name__}), "utf-8"))
