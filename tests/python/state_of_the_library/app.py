import builtins
import decimal
import json
import json as encoder
import logging
import sys
import warnings

from spin_sdk.http import IncomingHandler as BaseHandler, Request, Response


class IncomingHandler(BaseHandler):
    def handle_request(self, request: Request) -> Response:
        before = [decimal.getcontext().prec, logging.getLogger().level, sys.getrecursionlimit(), hasattr(builtins, "own_name"), hasattr(encoder, "own_name"), len(warnings.filters), "own.module" in sys.modules]
        decimal.getcontext().prec = 5
        logging.getLogger().setLevel(5)
        sys.setrecursionlimit(200)
        setattr(builtins, "own_name", 1)
        setattr(encoder, "own_name", 1)
        warnings.simplefilter("ignore")
        sys.modules["own.module"] = sys
        answer = before
        return Response(200, {"content-type": "application/json"}, bytes(json.dumps(answer), "utf-8"))
