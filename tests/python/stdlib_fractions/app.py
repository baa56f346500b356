import json
from fractions import Fraction

from spin_sdk.http import IncomingHandler as BaseHandler, Request, Response

THIRD = Fraction(1, 3)


class IncomingHandler(BaseHandler):
    def handle_request(self, request: Request) -> Response:
        answer = [str(THIRD ** 3), str(Fraction(3.125)), str(Fraction("22/7").limit_denominator(3)), f"{Fraction(1, 7):.5f}", str(THIRD + 1), float(THIRD), hash(THIRD) == hash(Fraction(2, 6))]
        return Response(200, {"content-type": "application/json"}, bytes(json.dumps(answer), "utf-8"))
