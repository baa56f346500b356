import json

from spin_sdk.http import IncomingHandler as BaseHandler, Request, Response


class IncomingHandler(BaseHandler):
    def handle_request(self, request: Request) -> Response:
        own = {name: value for name, value in sorted(request.headers.items()) if name.startswith("x-") and len(name) == 3}
        headers = {f"x-number-{n}": str(n * n) for n in range(60)}
        return Response(200, headers, json.dumps(own).encode())
