import inspect
import json

from spin_sdk.http import IncomingHandler as BaseHandler, Request, Response


def documented(a, /, b: int = 5, *args, c, d=None, **rest) -> str:
    """Says what it does.

    With more.
    """
    # A comment.
    return str(a)


class Shape:
    """A shape."""

    def area(self):
        return 0


class IncomingHandler(BaseHandler):
    def handle_request(self, request):
        frame = inspect.currentframe()
        answer = {"signature": str(inspect.signature(documented)), "bound": str(inspect.signature(documented).bind(1, 2, 3, c=4).arguments), "doc": inspect.getdoc(documented), "members": [name for name, _ in inspect.getmembers(Shape, inspect.isfunction)], "kinds": [inspect.isclass(Shape), inspect.isgeneratorfunction(documented)], "frame": [frame.f_code.co_name, frame.f_lineno], "module": inspect.getmodule(documented).__name__}
        return Response(200, {"content-type": "application/json"}, bytes(json.dumps(answer), "utf-8"))
