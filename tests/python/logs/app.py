import json
import logging
import sys
import warnings

from spin_sdk.http import IncomingHandler as BaseHandler, Request, Response

logging.basicConfig(level=logging.INFO, format="%(levelname)s:%(name)s:%(message)s", stream=sys.stdout)
LOG = logging.getLogger("shop")
LOG.info("loaded")


class IncomingHandler(BaseHandler):
    def handle_request(self, request: Request) -> Response:
        LOG.debug("hidden")
        LOG.info("path %s", request.uri)
        LOG.warning("careful")
        try:
            1 // 0
        except ZeroDivisionError:
            LOG.error("failed", exc_info=False)
        print("plain")
        print("to stderr", file=sys.stderr)
        sys.stdout.write("no line break")
        return Response(200, {"content-type": "application/json"}, bytes(json.dumps({"handlers": len(logging.getLogger().handlers)}), "utf-8"))
