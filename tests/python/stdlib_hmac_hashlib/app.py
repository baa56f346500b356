import hashlib
import hmac
import json

from spin_sdk.http import IncomingHandler as BaseHandler, Request, Response

KEYED = hmac.new(b"key", b"first", "sha512")
STARTED = hashlib.sha256(b"started ")


class IncomingHandler(BaseHandler):
    def handle_request(self, request: Request) -> Response:
        copy = KEYED.copy()
        copy.update(b" second")
        digest = STARTED.copy()
        digest.update(request.uri.encode())
        answer = {
            "hmac": copy.hexdigest(),
            "digest": digest.hexdigest(),
            "pbkdf2": hasattr(hashlib, "pbkdf2_hmac"),
            "shake": hashlib.shake_128(b"a").hexdigest(8),
            "blake2s": hashlib.blake2s(b"a", key=b"k", person=b"me").hexdigest(),
            "guaranteed": sorted(hashlib.algorithms_guaranteed),
            "new": hashlib.new("sha3_512", b"a").hexdigest()[:16],
            "compare": [hmac.compare_digest(b"a", b"a"), hmac.compare_digest("a", "b")],
        }
        return Response(200, {"content-type": "application/json"}, bytes(json.dumps(answer), "utf-8"))
