import csv
import io
import json
import textwrap

from spin_sdk.http import IncomingHandler as BaseHandler, Request, Response


class IncomingHandler(BaseHandler):
    def handle_request(self, request: Request) -> Response:
        rows = list(csv.DictReader(io.StringIO("a,b\n1,\"x,y\"\n2,z\n")))
        out = io.StringIO()
        writer = csv.writer(out, quoting=csv.QUOTE_NONNUMERIC)
        writer.writerows([[1, "a\"b"], [2.5, "c\nd"]])
        buffer = io.BytesIO(b"abcdef")
        buffer.seek(2)
        return Response(200, {"content-type": "application/json"}, bytes(json.dumps({"rows": rows, "out": out.getvalue(), "read": buffer.read(3).decode(), "wrap": textwrap.fill("word " * 20, 30), "dedent": textwrap.dedent("  a\n    b\n")}), "utf-8"))
