import functools
import json

from spin_sdk.http import IncomingHandler as BaseHandler, Request, Response

CALLS = []


def counted(limit):
    def decorate(function):
        count = 0

        @functools.wraps(function)
        def wrapper(*args, **options):
            nonlocal count
            count += 1
            CALLS.append((function.__name__, count))
            return function(*args, **options) if count <= limit else "too often"

        return wrapper

    return decorate


@counted(2)
def work(a, /, b=2, *rest, c, **others):
    return [a, b, rest, c, others]


work(0, c=0)
LATE = [lambda: n for n in range(3)]
BOUND = [lambda n=n: n for n in range(3)]


class IncomingHandler(BaseHandler):
    def handle_request(self, request):
        answer = {"results": [work(1, c=3), work(1, 2, 3, c=4, d=5)], "calls": CALLS, "late": [f() for f in LATE], "bound": [f() for f in BOUND], "walrus": [y for x in range(5) if (y := x * x) > 3], "unpacked": [*range(2), *"ab"], "merged": {**{"a": 1}, "b": 2} | {"c": 3}, "conditional": "yes" if CALLS else "no", "chained": 1 < 2 < 3 != 4}
        first, *middle, last = "abcd"
        answer["starred"] = [first, middle, last]
        for n in range(3):
            pass
        else:
            answer["else"] = n
        try:
            work(a=1, c=1)
        except TypeError as error:
            answer["error"] = str(error)
        return Response(200, {"content-type": "application/json"}, bytes(json.dumps(answer), "utf-8"))
