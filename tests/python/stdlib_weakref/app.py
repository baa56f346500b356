import gc
import json
import weakref

from spin_sdk.http import IncomingHandler as BaseHandler, Request, Response


class Item:
    def __init__(self, name):
        self.name = name


KEPT = Item("kept")
CACHE = weakref.WeakValueDictionary(kept=KEPT, gone=Item("gone"))
NAMES = weakref.WeakKeyDictionary({KEPT: "name of kept"})
weakref.finalize(KEPT, print, "finalized")


class IncomingHandler(BaseHandler):
    def handle_request(self, request):
        global KEPT
        before = [sorted(CACHE), list(NAMES.values()), weakref.getweakrefcount(KEPT) > 0]
        local = Item("local")
        proxy = weakref.proxy(local)
        name = proxy.name
        weakref.finalize(local, print, "local finalized")
        del local
        KEPT = None
        gc.collect()
        answer = [before, sorted(CACHE), name]
        try:
            proxy.name
        except ReferenceError as error:
            answer.append(str(error))
        return Response(200, {"content-type": "application/json"}, bytes(json.dumps(answer), "utf-8"))
