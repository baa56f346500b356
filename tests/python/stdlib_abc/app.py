import abc
import collections.abc
import json

from spin_sdk.http import IncomingHandler as BaseHandler, Request, Response


class Shape(abc.ABC):
    @abc.abstractmethod
    def area(self): ...

    @property
    @abc.abstractmethod
    def name(self): ...

    @classmethod
    def __subclasshook__(cls, other):
        return hasattr(other, "area") or NotImplemented


class Square(Shape):
    name = "square"

    def area(self):
        return 4


class Duck:
    def area(self):
        return 1


@collections.abc.Sized.register
class Sized:
    pass


class IncomingHandler(BaseHandler):
    def handle_request(self, request):
        answer = [Square().area(), isinstance(Duck(), Shape), issubclass(Sized, collections.abc.Sized), isinstance([], collections.abc.MutableSequence), sorted(Shape.__abstractmethods__)]
        try:
            Shape()
        except TypeError as error:
            answer.append(str(error))
        return Response(200, {"content-type": "application/json"}, bytes(json.dumps(answer), "utf-8"))
