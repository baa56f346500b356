import contextlib
import io
import json

from spin_sdk.http import IncomingHandler as BaseHandler, Request, Response


class Resource:
    def __init__(self, name):
        self.name = name

    def __enter__(self):
        print("open", self.name)
        return self

    def __exit__(self, kind, error, trace):
        print("close", self.name, kind and kind.__name__)
        return self.name == "forgiving"


STACK = contextlib.ExitStack()
STACK.enter_context(Resource("from the import"))


class IncomingHandler(BaseHandler):
    def handle_request(self, request):
        with contextlib.ExitStack() as stack:
            for name in ["a", "forgiving", "b"]:
                stack.enter_context(Resource(name))
            stack.callback(print, "callback")
            raise LookupError("inside")
        out = io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.suppress(ValueError):
            print("captured")
            int("x")
        with contextlib.closing(io.StringIO("x")) as text, contextlib.nullcontext(5) as five:
            pass
        STACK.close()
        answer = [out.getvalue(), text.closed, five]
        return Response(200, {"content-type": "application/json"}, bytes(json.dumps(answer), "utf-8"))
