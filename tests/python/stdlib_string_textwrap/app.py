import json
import string
import textwrap

from spin_sdk.http import IncomingHandler as BaseHandler, Request, Response


class Loud(string.Formatter):
    def convert_field(self, value, conversion):
        return str(value).upper() if conversion == "u" else super().convert_field(value, conversion)


class IncomingHandler(BaseHandler):
    def handle_request(self, request):
        answer = [string.Template("$a and ${b} $$ $c").safe_substitute(a=1, b="x"), Loud().format("{0!u} {name!r:>8}", "loud", name="é"), string.capwords("a bC d"), textwrap.shorten("a long text that ends", 12), textwrap.indent("a\n\nb", "> "), textwrap.wrap("aaaa-bbbb cc dddddddddd", 6), string.hexdigits]
        return Response(200, {"content-type": "application/json"}, bytes(json.dumps(answer), "utf-8"))
