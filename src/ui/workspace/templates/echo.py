import json
from urllib.parse import parse_qs, urlsplit

from spin_sdk.http import IncomingHandler as BaseHandler, Request, Response


class IncomingHandler(BaseHandler):
    def handle_request(self, request: Request) -> Response:
        address = urlsplit(request.uri)
        seen = {
            "method": request.method,
            "path": address.path,
            "query": parse_qs(address.query),
            "headers": dict(request.headers),
            "body": (request.body or b"").decode(errors="replace"),
        }
        print(request.method, request.uri)
        return Response(
            200,
            {"content-type": "application/json"},
            json.dumps(seen, ensure_ascii=False, indent=2).encode(),
        )
