import functools
import json

from spin_sdk.http import IncomingHandler as BaseHandler, Request, Response


@functools.lru_cache(maxsize=2)
def square(n):
    print("computes", n)
    return n * n


square(3)


@functools.total_ordering
class Version:
    def __init__(self, text):
        self.parts = tuple(map(int, text.split(".")))

    def __eq__(self, other):
        return self.parts == other.parts

    def __lt__(self, other):
        return self.parts < other.parts

    @functools.cached_property
    def shown(self):
        print("shown once")
        return ".".join(map(str, self.parts))


NEWEST = max(map(Version, ["1.9", "1.10", "1.2"]))


def traced(function):
    @functools.wraps(function)
    def wrapper(*args):
        return [function.__name__, function(*args)]

    return wrapper


@traced
def add(a, b):
    """Adds."""
    return a + b


class IncomingHandler(BaseHandler):
    def handle_request(self, request):
        answer = {"cached": [square(3), square(4), list(square.cache_info())], "newest": NEWEST.shown + NEWEST.shown, "greater": Version("2.0") >= NEWEST, "partial": functools.partial(int, base=2)("101"), "wrapped": [add(1, 2), add.__name__, add.__doc__], "reduce": functools.reduce(lambda a, b: a * b, range(1, 6)), "key": sorted("bca", key=functools.cmp_to_key(lambda a, b: (a < b) - (a > b)))}
        return Response(200, {"content-type": "application/json"}, bytes(json.dumps(answer), "utf-8"))
