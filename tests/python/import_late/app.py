import json

from spin_sdk.http import IncomingHandler as BaseHandler, Request, Response


class IncomingHandler(BaseHandler):
    def handle_request(self, request):
        import importlib
        answer = {}
        for name in ["graphlib", "json.tool", "xml.etree.ElementTree", "encodings.cp437", "nothing.at.all"]:
            try:
                answer[name] = importlib.import_module(name).__name__
            except Exception as error:
                answer[name] = f"{type(error).__name__}: {error}"
        return Response(200, {"content-type": "application/json"}, bytes(json.dumps(answer), "utf-8"))
