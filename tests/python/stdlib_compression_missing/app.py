import json

from spin_sdk.http import IncomingHandler as BaseHandler, Request, Response


class IncomingHandler(BaseHandler):
    def handle_request(self, request):
        answer = {}
        for name in ["zlib", "gzip", "bz2", "lzma", "ssl", "_ssl", "ctypes", "_sqlite3", "mmap", "fcntl", "resource", "readline", "curses", "nothing_like_it"]:
            try:
                answer[name] = __import__(name).__name__
            except ImportError as error:
                answer[name] = type(error).__name__
        return Response(200, {"content-type": "application/json"}, bytes(json.dumps(answer), "utf-8"))
