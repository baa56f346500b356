import html
import json
from html.parser import HTMLParser
from urllib.parse import parse_qs, quote, urlencode, urljoin, urlsplit

from spin_sdk.http import IncomingHandler as BaseHandler, Request, Response

class Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [value or '' for name, value in attrs if name == 'href']


class IncomingHandler(BaseHandler):
    def handle_request(self, request: Request) -> Response:
        links = Links()
        links.feed("<p><a href='/a?b=1&amp;c'>x</a><a href=z>")
        parts = urlsplit(request.uri)
        return Response(200, {"content-type": "application/json"}, bytes(json.dumps({"links": links.found, "escaped": html.escape("<\"&>"), "unescaped": html.unescape("&eacute;&#8364;"), "query": parse_qs(parts.query, keep_blank_values=True), "path": parts.path, "quoted": quote("a b/\u00e9"), "encoded": urlencode({"a": [1, 2], "b": "c d"}, doseq=True), "joined": urljoin("http://h/a/b", "../c?d")}), "utf-8"))
