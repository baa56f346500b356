import gc
import json
import weakref

from spin_sdk.http import IncomingHandler as BaseHandler, Request, Response

class Noisy:
    def __init__(self, name: str) -> None:
        self.name = name
        self.me: Noisy | None = None

    def __del__(self) -> None:
        print('gone', self.name)


KEPT = Noisy('kept')
REPLACED: Noisy | None = Noisy('replaced')


class IncomingHandler(BaseHandler):
    def handle_request(self, request: Request) -> Response:
        global REPLACED
        REPLACED = None
        local = Noisy("local")
        reference = weakref.ref(local)
        del local
        circle = Noisy("circle")
        circle.me = circle
        del circle
        gc.collect()
        return Response(200, {"content-type": "application/json"}, bytes(json.dumps({"dead": reference() is None, "kept": KEPT.name}), "utf-8"))
