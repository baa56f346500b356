import json

from spin_sdk.http import IncomingHandler as BaseHandler, Request, Response


class Field:
    def __set_name__(self, owner, name):
        print("field", owner.__name__, name)
        self.name = name

    def __get__(self, item, owner):
        return self if item is None else item.__dict__.get(self.name, "unset")

    def __set__(self, item, value):
        item.__dict__[self.name] = value * 2


class Registry(type):
    known: list = []

    def __new__(meta, name, bases, space, **options):
        made = super().__new__(meta, name, bases, space)
        meta.known.append((name, options))
        return made

    def __init__(cls, name, bases, space, **options):
        super().__init__(name, bases, space)

    def __call__(cls, *args):
        print("makes", cls.__name__)
        return super().__call__(*args)

    @classmethod
    def __prepare__(meta, name, bases, **options):
        return {"prepared": name}


class Model(metaclass=Registry, table="models"):
    size = Field()

    def __init_subclass__(cls, **options):
        super().__init_subclass__()
        cls.options = options


class Item(Model):
    __slots__ = ("price",)

    def __getattr__(self, name):
        return f"no {name}"


class Slots:
    __slots__ = ("a", "__weakref__")


class IncomingHandler(BaseHandler):
    def handle_request(self, request):
        item = Item()
        item.size = 4
        item.price = 5
        answer = {"known": Registry.known, "size": item.size, "unset": Item().size, "missing": item.other, "options": Item.options, "prepared": Model.prepared, "order": [c.__name__ for c in Item.__mro__]}
        try:
            Slots().b = 1
        except AttributeError as error:
            answer["slots"] = str(error)
        return Response(200, {"content-type": "application/json"}, bytes(json.dumps(answer), "utf-8"))
