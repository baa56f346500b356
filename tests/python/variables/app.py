import json
from spin_sdk import variables

from spin_sdk.http import IncomingHandler as BaseHandler, Request, Response


class IncomingHandler(BaseHandler):
    def handle_request(self, request: Request) -> Response:
        try:
            missing = variables.get("missing")
        except Exception as error:
            missing = type(error).__name__ + repr(getattr(error, "value", error))
        try:
            wrong = variables.get("Wrong-Name")
        except Exception as error:
            wrong = type(error).__name__ + repr(getattr(error, "value", error))
        return Response(200, {"content-type": "application/json"}, bytes(json.dumps({"greeting": variables.get("greeting"), "missing": missing, "wrong": wrong}), "utf-8"))
