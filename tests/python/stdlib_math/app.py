import cmath
import json
import math
import sys

from spin_sdk.http import IncomingHandler as BaseHandler, Request, Response


class IncomingHandler(BaseHandler):
    def handle_request(self, request):
        answer = {
            "functions": [math.sin(1), math.exp(1.5), math.log(10), math.log2(1 << 70), math.tanh(0.3), math.gamma(5.5), math.erf(0.5), math.hypot(3, 4, 12), math.atan2(1, -1), math.cbrt(27)],
            "whole": [math.gcd(84, 30), math.lcm(4, 6), math.isqrt(10**20), math.factorial(20), math.perm(5, 2), math.prod([2, 3, 4])],
            "bits": [math.frexp(0.1), math.nextafter(1, 2), math.ulp(1.0), (0.1).hex(), float.fromhex("0x1.8p3"), math.fsum([0.1] * 10), math.sumprod([1, 2], [3, 4])],
            "complex": [str(cmath.sqrt(-2)), str(cmath.exp(1j * math.pi)), str(cmath.polar(1 + 1j)), str((1 + 2j) ** 3)],
            "float": [sys.float_info.max, sys.float_info.epsilon, repr(0.1 + 0.2), repr(1e16), repr(-0.0), repr(float("inf")), str(1e-7)],
        }
        for name, action in {"domain": lambda: math.sqrt(-1), "range": lambda: math.exp(1000), "zero": lambda: 1.0 / 0, "power": lambda: 10.0 ** 400}.items():
            try:
                answer[name] = action()
            except ArithmeticError as error:
                answer[name] = f"{type(error).__name__}: {error}"
            except ValueError as error:
                answer[name] = str(error)
        return Response(200, {"content-type": "application/json"}, bytes(json.dumps(answer), "utf-8"))
