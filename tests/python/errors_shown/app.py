import json
import sys
import traceback

from spin_sdk.http import IncomingHandler as BaseHandler, Request, Response


class IncomingHandler(BaseHandler):
    def handle_request(self, request):
        def fail():
            try:
                {}["a"]
            except KeyError as error:
                raise ValueError("second") from error


        try:
            fail()
        except ValueError as error:
            shown = traceback.format_exc().splitlines()
            summary = traceback.extract_tb(error.__traceback__)
            answer = {
                "first": shown[0],
                "last": shown[-1],
                "only": traceback.format_exception_only(error),
                "functions": [frame.name for frame in summary],
                "lines": [frame.lineno for frame in summary],
                "info": sys.exc_info()[0].__name__,
                "cause": repr(error.__cause__),
                "context": error.__context__ is error.__cause__,
            }
        answer["after"] = repr(sys.exc_info())
        return Response(200, {"content-type": "application/json"}, bytes(json.dumps(answer), "utf-8"))
