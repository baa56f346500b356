import html
import html.parser
import json

from spin_sdk.http import IncomingHandler as BaseHandler, Request, Response


class Links(html.parser.HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [f"{tag} {name}={value}" for name, value in attrs]


class IncomingHandler(BaseHandler):
    def handle_request(self, request: Request) -> Response:
        parser = Links()
        parser.feed("<p class=a>x<a href='/b?c=d&amp;e=f'>&eacute;</a><br/>")
        answer = {"found": parser.found, "escaped": html.escape("<a href=\"'\">&"), "plain": html.unescape("&lt;&eacute;&#9731;&nosuch;")}
        return Response(200, {"content-type": "application/json"}, bytes(json.dumps(answer), "utf-8"))
