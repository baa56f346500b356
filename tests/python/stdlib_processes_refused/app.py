import json
import os
import signal
import subprocess

from spin_sdk.http import IncomingHandler as BaseHandler, Request, Response


class IncomingHandler(BaseHandler):
    def handle_request(self, request):
        answer = {"signal": signal.SIGINT.name}
        for name, action in {
            "run": lambda: subprocess.run(["ls"]),
            "system": lambda: os.system("ls"),
            "fork": lambda: os.fork(),
            "pid": lambda: os.getpid() > 0,
            "user": lambda: os.getuid(),
            "kill": lambda: os.kill(1, 0),
            "handler": lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
            "cpus": os.cpu_count,
        }.items():
            try:
                answer[name] = repr(action())
            except BaseException as error:
                answer[name] = f"{type(error).__name__}: {error}"
        return Response(200, {"content-type": "application/json"}, bytes(json.dumps(answer), "utf-8"))
