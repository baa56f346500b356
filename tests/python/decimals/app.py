import json
import math
import statistics
from decimal import Decimal, getcontext, ROUND_HALF_EVEN
from fractions import Fraction

from spin_sdk.http import IncomingHandler as BaseHandler, Request, Response


class IncomingHandler(BaseHandler):
    def handle_request(self, request: Request) -> Response:
        getcontext().prec = 40
        values = [Decimal("0.1"), Decimal(1) / Decimal(7), Decimal("2.5").quantize(Decimal(1), ROUND_HALF_EVEN), Decimal(2).sqrt()]
        return Response(200, {"content-type": "application/json"}, bytes(json.dumps({"values": [str(v) for v in values], "pi": math.pi, "fsum": math.fsum([0.1] * 10), "comb": math.comb(50, 25), "mean": statistics.mean([1, 2, 3.5]), "stdev": statistics.stdev([1, 2, 3.5]), "third": str(Fraction("0.125") + Fraction(1, 3)), "nan": str(float("nan")), "round": [round(2.5), round(-3.5), round(1.005, 2)]}), "utf-8"))
