import json
from dataclasses import asdict, dataclass, field, replace
from enum import Enum, Flag, auto
from typing import NamedTuple

from spin_sdk.http import IncomingHandler as BaseHandler, Request, Response

class Color(Enum):
    RED = "r"
    BLUE = "b"


class Access(Flag):
    READ = auto()
    WRITE = auto()


class Point(NamedTuple):
    x: int
    y: int = 2


@dataclass(order=True)
class Item:
    name: str
    tags: list[str] = field(default_factory=list)
    color: Color = Color.RED


class IncomingHandler(BaseHandler):
    def handle_request(self, request: Request) -> Response:
        first, second = Item("b", ["x"]), Item("a", color=Color("b"))
        print(first, second, Access.READ | Access.WRITE, Point(1))
        return Response(200, {"content-type": "application/json"}, bytes(json.dumps({"sorted": [item.name for item in sorted([first, second], key=lambda item: item.name)], "dict": {**asdict(replace(first, name="c")), "color": first.color.value}, "repr": repr(second), "flag": (Access.READ | Access.WRITE).value, "point": Point(3)._asdict(), "members": [c.name for c in Color]}), "utf-8"))
