import warnings

from spin_sdk.http import IncomingHandler as BaseHandler, Request, Response

warnings.warn("while it loads")


class IncomingHandler(BaseHandler):
    def handle_request(self, request: Request) -> Response:
        for _ in range(2):
            warnings.warn("once only")
        warnings.warn("deprecated", DeprecationWarning)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            warnings.warn("caught", UserWarning)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            try:
                warnings.warn("raised")
            except UserWarning as error:
                return Response(200, {}, f"{len(caught)} {error} {warnings.filters[:1] != []}".encode())
        return Response(200, {}, b"")
