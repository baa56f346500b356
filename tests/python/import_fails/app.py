from spin_sdk.http import IncomingHandler as BaseHandler, Request, Response

def total(prices: dict[str, int]) -> int:
    return prices['a'] + prices['b']


print('before')
TOTAL = total({'a': 1})


class IncomingHandler(BaseHandler):
    def handle_request(self, request: Request) -> Response:
        return Response(200, {"content-type": "text/plain; charset=utf-8"}, bytes("never", "utf-8"))
