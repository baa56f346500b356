import json
import os
import pathlib
import tempfile

from spin_sdk.http import IncomingHandler as BaseHandler, Request, Response


class IncomingHandler(BaseHandler):
    def handle_request(self, request):
        answer = {}
        for name, action in {
            "read": lambda: open("/etc/hostname").read(),
            "write": lambda: open("/tmp/x", "w").write("x"),
            "here": lambda: open("app.py").read(),
            "list": lambda: os.listdir("/"),
            "cwd": os.getcwd,
            "exists": lambda: os.path.exists("/0"),
            "mkdir": lambda: pathlib.Path("a").mkdir(),
            "temporary": lambda: tempfile.gettempdir(),
        }.items():
            try:
                answer[name] = repr(action())
            except BaseException as error:
                answer[name] = f"{type(error).__name__}: {error}"
        return Response(200, {"content-type": "application/json"}, bytes(json.dumps(answer), "utf-8"))
