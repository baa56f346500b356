import inspect
import json
import linecache

from spin_sdk.http import IncomingHandler as BaseHandler, Request, Response


def documented():
    # A comment.
    return 1


class IncomingHandler(BaseHandler):
    def handle_request(self, request):
        try:
            answer = [inspect.getsource(documented), inspect.getcomments(documented), inspect.getsourcefile(documented)]
        except OSError as error:
            answer = str(error)
        return Response(200, {"content-type": "application/json"}, bytes(json.dumps(answer), "utf-8"))
