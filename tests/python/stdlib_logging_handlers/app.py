import io
import logging
import logging.handlers

from spin_sdk.http import IncomingHandler as BaseHandler, Request, Response

STREAM = io.StringIO()
LOG = logging.getLogger("app.db")
LOG.setLevel(logging.DEBUG)
HANDLER = logging.StreamHandler(STREAM)
HANDLER.setFormatter(logging.Formatter("{levelname:<8}|{name}|{message}", style="{"))
LOG.addHandler(HANDLER)
LOG.propagate = False
LOG.debug("loaded")


class Quiet(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        return "secret" not in record.getMessage()


HANDLER.addFilter(Quiet())


class IncomingHandler(BaseHandler):
    def handle_request(self, request: Request) -> Response:
        memory = logging.handlers.MemoryHandler(10, target=HANDLER)
        LOG.addHandler(memory)
        LOG.info("path %(path)s", {"path": request.uri})
        LOG.error("secret %d", 5)
        memory.flush()
        adapter = logging.LoggerAdapter(LOG, {"id": 7})
        adapter.warning("adapted")
        return Response(200, {}, STREAM.getvalue().encode())
