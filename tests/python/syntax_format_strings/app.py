import json
from datetime import date

from spin_sdk.http import IncomingHandler as BaseHandler, Request, Response


class IncomingHandler(BaseHandler):
    def handle_request(self, request: Request) -> Response:
        name, value, width = "é", 1234.5678, 12
        answer = [f"{name!r:>8}|{value:{width}.2f}|{value:+,.1e}|{255:#06x}|{0.256:.1%}", f"{value=:.1f} {name = }", f"{date(2026, 11, 20):%d.%m.%y}", f"{{}} {'nested ' + f'{name}'}", f"{'a' if value else 'b'}", "{0[a]} {1.real:^7}".format({"a": 1}, 5), "%5.1f|%-5s|%05d|%%|%r" % (2.25, "a", 42, "q"), f"{10**20:_}", f"{True:d} {'text':.2}"]
        return Response(200, {"content-type": "application/json"}, bytes(json.dumps(answer), "utf-8"))
