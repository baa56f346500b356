import enum
import json

from spin_sdk.http import IncomingHandler as BaseHandler, Request, Response


class Color(enum.Enum):
    RED = 1
    CRIMSON = 1
    BLUE = enum.auto()

    @property
    def shown(self):
        return self.name.title()

    @classmethod
    def _missing_(cls, value):
        return cls.BLUE if value == "azure" else None


class Access(enum.IntFlag, boundary=enum.KEEP):
    READ = 4
    WRITE = 2


class Word(enum.StrEnum):
    HELLO = enum.auto()


@enum.unique
class Planet(enum.Enum):
    EARTH = (5.9, 6.3)

    def __init__(self, mass, radius):
        self.mass = mass


class IncomingHandler(BaseHandler):
    def handle_request(self, request):
        answer = [Color.CRIMSON is Color.RED, Color("azure").shown, repr(Access.READ | 1), [member.name for member in Access.READ | Access.WRITE], Word.HELLO + "!", Planet.EARTH.mass, list(Color.__members__), str(Color.RED), f"{Word.HELLO} {Access.READ}"]
        try:
            Color(9)
        except ValueError as error:
            answer.append(str(error))
        return Response(200, {"content-type": "application/json"}, bytes(json.dumps(answer), "utf-8"))
