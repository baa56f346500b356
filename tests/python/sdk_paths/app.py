import json
from urllib.parse import parse_qsl, unquote, urlsplit

from spin_sdk.http import IncomingHandler as BaseHandler, Request, Response


class IncomingHandler(BaseHandler):
    def handle_request(self, request: Request) -> Response:
        parts = urlsplit(request.uri)
        answer = {"uri": request.uri, "path": unquote(parts.path), "query": parse_qsl(parts.query, keep_blank_values=True)}
        return Response(200, {"content-type": "application/json"}, bytes(json.dumps(answer), "utf-8"))
