import json
import secrets

from spin_sdk.http import IncomingHandler as BaseHandler, Request, Response

LOADED = secrets.token_hex(16)


class IncomingHandler(BaseHandler):
    def handle_request(self, request: Request) -> Response:
        tokens = {secrets.token_hex(16) for _ in range(20)} | {LOADED}
        answer = {"different": len(tokens), "lengths": [len(secrets.token_bytes(9)), len(secrets.token_hex(9)), len(secrets.token_urlsafe(9))], "below": secrets.randbelow(1), "choice": secrets.choice([5]), "bits": secrets.randbits(8) < 256, "same": secrets.compare_digest("a", "a")}
        return Response(200, {"content-type": "application/json"}, bytes(json.dumps(answer), "utf-8"))
