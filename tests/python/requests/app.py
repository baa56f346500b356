import json

from spin_sdk.http import IncomingHandler as BaseHandler, Request, Response


class IncomingHandler(BaseHandler):
    def handle_request(self, request: Request) -> Response:
        names = ["x-a", "content-type", "accept", "user-agent"]
        status = int(request.uri.rsplit("/", 1)[1] or 200)
        headers = {"content-type": "application/json", "x-method": request.method, "X-Upper": "Y", "set-cookie": "a=b"}
        return Response(status, headers, bytes(json.dumps({"method": request.method, "uri": request.uri, "headers": {n: request.headers.get(n) for n in names}, "body": repr(request.body)}), "utf-8") if status != 204 else None)
