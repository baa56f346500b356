import json

from spin_sdk.http import IncomingHandler as BaseHandler, Request, Response


class IncomingHandler(BaseHandler):
    def handle_request(self, request: Request) -> Response:
        answer = {name: request.headers.get(name) for name in ["x-twice", "x-mixed-case", "X-Mixed-Case"]}
        return Response(200, {"content-type": "application/json"}, bytes(json.dumps(answer), "utf-8"))
