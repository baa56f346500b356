import json

import shop
import shop.model.data as data
from shop.api.routes import describe
from spin_sdk.http import IncomingHandler as BaseHandler, Request, Response


class IncomingHandler(BaseHandler):
    def handle_request(self, request: Request) -> Response:
        answer = {"order": shop.ORDER, "described": describe("a"), "table": data.TABLE, "name": data.__name__, "package": data.__package__, "path": bool(shop.__path__)}
        data.TABLE["a"] += 1
        shop.ORDER.append("called")
        return Response(200, {}, json.dumps(answer).encode())
