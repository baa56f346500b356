import logging
import sys

from spin_sdk.http import IncomingHandler as BaseHandler, Request, Response

logging.basicConfig(stream=sys.stderr, level=logging.ERROR, format="%(levelname)s %(funcName)s %(lineno)d %(message)s")


class Short(logging.Formatter):
    def formatException(self, info) -> str:
        return f"({info[0].__name__})"


class IncomingHandler(BaseHandler):
    def handle_request(self, request: Request) -> Response:
        logging.getLogger().handlers[0].setFormatter(Short("%(message)s"))
        try:
            [][1]
        except IndexError:
            logging.exception("no such entry")
        return Response(200, {}, b"logged")
