import json
import random

from spin_sdk.http import IncomingHandler as BaseHandler, Request, Response


random.seed(3)
FIRST = random.random()
EXPECTED = random.Random(3)
EXPECTED.random()


class IncomingHandler(BaseHandler):
    def handle_request(self, request: Request) -> Response:
        answer = {"first": FIRST, "goes on": random.random() == EXPECTED.random()}
        return Response(200, {"content-type": "application/json"}, bytes(json.dumps(answer), "utf-8"))
