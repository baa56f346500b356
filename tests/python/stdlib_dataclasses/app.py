import json
from dataclasses import KW_ONLY, FrozenInstanceError, InitVar, asdict, dataclass, field, make_dataclass

from spin_sdk.http import IncomingHandler as BaseHandler, Request, Response


@dataclass(frozen=True, slots=True, order=True)
class Version:
    major: int
    minor: int = 0


@dataclass
class Item:
    name: str
    _: KW_ONLY
    tags: list = field(default_factory=list, repr=False)
    scale: InitVar[int] = 1
    total: int = field(init=False)

    def __post_init__(self, scale):
        self.total = len(self.name) * scale


DEFAULT = Item("loaded", tags=["x"])


class IncomingHandler(BaseHandler):
    def handle_request(self, request):
        DEFAULT.tags.append("request")
        Made = make_dataclass("Made", [("a", int, 5)])
        answer = [repr(max(Version(1, 2), Version(1, 10))), asdict(Item("abc", scale=3)), DEFAULT.tags, repr(Made()), hash(Version(1)) == hash(Version(1, 0)), repr(DEFAULT)]
        try:
            Version(1).major = 2
        except FrozenInstanceError as error:
            answer.append(str(error))
        return Response(200, {"content-type": "application/json"}, bytes(json.dumps(answer), "utf-8"))
