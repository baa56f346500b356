import inspect
import json
import sys

from spin_sdk.http import IncomingHandler as BaseHandler, Request, Response


class IncomingHandler(BaseHandler):
    def handle_request(self, request):
        own = sys.modules[__name__]
        answer = {"name": __name__, "file": __file__, "package": __package__, "doc": __doc__, "spec": own.__spec__.name, "origin": own.__spec__.origin, "loader": type(__loader__).__name__, "cached": __spec__.cached, "builtins": type(__builtins__).__name__, "names": sorted(name for name in vars(own) if not name.startswith("__")), "all": sorted(name for name in vars(own) if name.startswith("__"))}
        return Response(200, {"content-type": "application/json"}, bytes(json.dumps(answer), "utf-8"))
