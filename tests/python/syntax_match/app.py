import json
from dataclasses import dataclass

from spin_sdk.http import IncomingHandler as BaseHandler, Request, Response


@dataclass
class Point:
    x: int
    y: int


def kind(value):
    match value:
        case 0 | 1:
            return "bit"
        case int(n) if n < 0:
            return "negative"
        case [first, *rest]:
            return f"list of {first} and {len(rest)}"
        case {"type": str(name), **others}:
            return f"{name} {sorted(others)}"
        case Point(x=0, y=y):
            return f"on the axis at {y}"
        case str() as text:
            return text.upper()
        case None:
            return "nothing"
        case _:
            return "other"


class IncomingHandler(BaseHandler):
    def handle_request(self, request):
        answer = [kind(value) for value in [1, -5, [1, 2, 3], (4,), {"type": "a", "b": 1}, Point(0, 3), Point(1, 1), "text", None, 2.5]]
        return Response(200, {"content-type": "application/json"}, bytes(json.dumps(answer), "utf-8"))
