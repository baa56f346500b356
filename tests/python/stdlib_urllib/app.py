import json
from urllib.parse import parse_qs, quote, quote_plus, unquote, unquote_plus, urldefrag, urlencode, urljoin, urlsplit

from spin_sdk.http import IncomingHandler as BaseHandler, Request, Response


class IncomingHandler(BaseHandler):
    def handle_request(self, request: Request) -> Response:
        parts = urlsplit("https://user:pw@example.com:8080/a;b/c?d=e&f=%20#g")
        answer = {
            "parts": [parts.scheme, parts.netloc, parts.hostname, parts.port, parts.username, parts.path, parts.query, parts.fragment],
            "quoted": [quote("a b/ü"), quote_plus("a b/ü"), quote("/~", safe="")],
            "unquoted": [unquote("%E2%82%AC%FF"), unquote_plus("a+b")],
            "encoded": urlencode({"a": [1, 2], "ü": "x y"}, doseq=True),
            "joined": [urljoin("http://a/b/c/d", path) for path in ["../e", "/f", "//g/h", "?i"]],
            "parsed": parse_qs("a=1&a=2&b=", keep_blank_values=True),
            "defragmented": list(urldefrag("http://a/b#c")),
        }
        return Response(200, {"content-type": "application/json"}, bytes(json.dumps(answer), "utf-8"))
