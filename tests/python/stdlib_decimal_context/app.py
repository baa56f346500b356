import decimal
import json

from spin_sdk.http import IncomingHandler as BaseHandler, Request, Response


decimal.getcontext().prec = 6
decimal.getcontext().rounding = decimal.ROUND_DOWN
EARLY = decimal.Decimal(2) / 3


class IncomingHandler(BaseHandler):
    def handle_request(self, request: Request) -> Response:
        with decimal.localcontext() as context:
            context.prec = 3
            inner = str(decimal.Decimal(2) / 3)
        try:
            decimal.Decimal("x")
            failed = ""
        except decimal.InvalidOperation as error:
            failed = str(error)
        answer = {"early": str(EARLY), "now": str(decimal.Decimal(2) / 3), "prec": decimal.getcontext().prec, "inner": inner, "failed": failed, "tuple": str(decimal.Decimal("-1.50").as_tuple()), "engineering": decimal.Decimal("12e7").to_eng_string()}
        decimal.getcontext().prec = 50
        return Response(200, {"content-type": "application/json"}, bytes(json.dumps(answer), "utf-8"))
