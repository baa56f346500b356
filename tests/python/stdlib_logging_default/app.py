import logging

from spin_sdk.http import IncomingHandler as BaseHandler, Request, Response

LOG = logging.getLogger(__name__)


class IncomingHandler(BaseHandler):
    def handle_request(self, request: Request) -> Response:
        LOG.info("hidden")
        LOG.warning("shown")
        logging.warning("by the root")
        LOG.critical("wrong %s %s", "arguments")
        return Response(200, {}, f"{LOG.name} {LOG.getEffectiveLevel()} {logging.getLogger().handlers}".encode())
