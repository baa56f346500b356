import json
import sys

from spin_sdk.http import IncomingHandler as BaseHandler, Request, Response


class IncomingHandler(BaseHandler):
    def handle_request(self, request):
        answer = {
            "argv": sys.argv,
            "flags": str(sys.flags),
            "implementation": [sys.implementation.name, sys.implementation.cache_tag],
            "executable": sys.executable,
            "prefix": sys.prefix,
            "maxsize": sys.maxsize,
            "encoding": [sys.getdefaultencoding(), sys.getfilesystemencoding(), sys.stdout.encoding, sys.stdout.errors, sys.stderr.errors],
            "modules": [name in sys.modules for name in ["app", "__main__", "spin_sdk", "json"]],
            "profile": [sys.getprofile(), sys.gettrace()],
            "dont_write_bytecode": sys.dont_write_bytecode,
            "interactive": hasattr(sys, "ps1"),
            "last": [hasattr(sys, name) for name in ["last_type", "last_value", "last_traceback"]],
            "tty": [sys.stdin.isatty(), sys.stdout.isatty()],
            "switch": sys.getswitchinterval(),
            "digits": sys.get_int_max_str_digits(),
            "buffering": [sys.stdout.line_buffering, sys.stdout.write_through],
        }
        return Response(200, {"content-type": "application/json"}, bytes(json.dumps(answer), "utf-8"))
