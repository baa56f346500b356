import json

from spin_sdk.http import IncomingHandler as BaseHandler, Request, Response

größe = 5
이름 = "한글 이름"
π = 3.14159
ﬁeld = "normalised to field"


class Café:
    def __init__(self, naïve: str) -> None:
        self.naïve = naïve


class IncomingHandler(BaseHandler):
    def handle_request(self, request: Request) -> Response:
        answer = [größe, 이름, π, field, Café("ja").naïve, Café.__name__, "\N{SNOWMAN}", "👩‍👩‍👧", "\u202eright", request.uri, len("🇰🇷")]
        print(answer)
        return Response(200, {"content-type": "application/json; charset=utf-8"}, json.dumps(answer, ensure_ascii=False).encode())
