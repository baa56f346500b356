import json
from dataclasses import fields

from spin_sdk.http import IncomingHandler as BaseHandler, Request, Response


class IncomingHandler(BaseHandler):
    def handle_request(self, request: Request) -> Response:
        answer = {
            "fields": [field.name for field in fields(request)],
            "method": request.method,
            "uri": request.uri,
            "body": (request.body or b"").decode(),
            "types": [type(request.method).__name__, type(request.uri).__name__, type(request.headers).__name__, type(request.body).__name__],
            "one": request.headers.get("x-one"),
            "equal": request == Request(request.method, request.uri, request.headers, request.body),
        }
        return Response(200, {"content-type": "application/json"}, bytes(json.dumps(answer), "utf-8"))
