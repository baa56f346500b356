import io
import json

from spin_sdk.http import IncomingHandler as BaseHandler, Request, Response


class IncomingHandler(BaseHandler):
    def handle_request(self, request):
        text = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", newline="\r\n")
        text.write("a\nß\n")
        text.flush()
        buffer = io.BufferedReader(io.BytesIO(b"line one\nline two\n"))
        answer = {"bytes": text.buffer.getvalue().hex(), "peek": buffer.peek(4)[:4].decode(), "lines": [line.decode() for line in buffer]}
        try:
            io.StringIO("a").read(b"")
        except TypeError as error:
            answer["wrong"] = str(error)
        closed = io.BytesIO()
        closed.close()
        try:
            closed.read()
        except ValueError as error:
            answer["closed"] = str(error)
        return Response(200, {"content-type": "application/json"}, bytes(json.dumps(answer), "utf-8"))
