from spin_sdk.http import IncomingHandler as BaseHandler, Request, Response


def check(values: list[str]) -> None:
    found: list[Exception] = [ValueError(f"bad {value}") for value in values]
    raise ExceptionGroup("settings", found)


check(["a", "b"])


class IncomingHandler(BaseHandler):
    def handle_request(self, request: Request) -> Response:
        return Response(200, {}, b"")
