import json
from typing import Any, ClassVar, Generic, Literal, NamedTuple, Protocol, TypedDict, TypeVar, get_args, get_origin, get_type_hints, runtime_checkable

from spin_sdk.http import IncomingHandler as BaseHandler, Request, Response

T = TypeVar("T")


@runtime_checkable
class Named(Protocol):
    name: str


class Box(Generic[T]):
    kind: ClassVar[str] = "box"

    def __init__(self, value: T) -> None:
        self.value = value


class Row(TypedDict, total=False):
    id: int
    label: str


class Pair(NamedTuple):
    left: int
    right: str = "r"


class Cat:
    name = "cat"


def scale(value: "int | None", mode: Literal["a", "b"] = "a") -> list[int]:
    return [value or 0]


class IncomingHandler(BaseHandler):
    def handle_request(self, request: Request) -> Response:
        row: Row = {"id": 1}
        answer: Any = {"box": Box[int](5).value, "parameters": str(getattr(Box, "__parameters__")), "named": [isinstance(Cat(), Named), isinstance(5, Named)], "row": row, "hints": str(get_type_hints(scale)), "args": str(get_args(dict[str, int])), "origin": str(get_origin(list[int])), "pair": Pair(1)._replace(right="x"), "optional": sorted(Row.__optional_keys__)}
        return Response(200, {"content-type": "application/json"}, bytes(json.dumps(answer), "utf-8"))
