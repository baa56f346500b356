import json

from spin_sdk.http import IncomingHandler as BaseHandler, Request, Response


class IncomingHandler(BaseHandler):
    def handle_request(self, request):
        found = {}
        try:
            raise ExceptionGroup("all", [ValueError("a"), TypeError("b"), ExceptionGroup("in", [ValueError("c"), OSError(2, "no file")])])
        except* ValueError as group:
            found["values"] = [str(error) for error in group.exceptions]
        except* TypeError as group:
            found["types"] = len(group.exceptions)
        except* OSError as group:
            found["os"] = repr(group)
        split = ExceptionGroup("x", [KeyError(1), IndexError(2)]).split(KeyError)
        answer = [found, [repr(part) for part in split]]
        return Response(200, {"content-type": "application/json"}, bytes(json.dumps(answer), "utf-8"))
