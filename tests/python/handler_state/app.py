import json

from spin_sdk.http import IncomingHandler as BaseHandler, Request, Response

class Base(BaseHandler):
    made = 0

    def __init__(self) -> None:
        type(self).made += 1
        self.calls: list[str] = []


class IncomingHandler(Base):
    def handle_request(self, request: Request) -> Response:
        self.calls.append(request.uri)
        answer = {"made": type(self).made, "calls": self.calls, "class": type(self).__mro__[1].__name__}
        return Response(200, {"content-type": "application/json"}, bytes(json.dumps(answer), "utf-8"))
