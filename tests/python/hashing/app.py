import base64
import binascii
import hashlib
import hmac
import json

from spin_sdk.http import IncomingHandler as BaseHandler, Request, Response


class IncomingHandler(BaseHandler):
    def handle_request(self, request: Request) -> Response:
        data = request.body or b"data"
        return Response(200, {"content-type": "application/json"}, bytes(json.dumps({"sha256": hashlib.sha256(data).hexdigest(), "sha1": hashlib.sha1(data).hexdigest(), "md5": hashlib.md5(data).hexdigest(), "blake": hashlib.blake2b(data, digest_size=16).hexdigest(), "sha3": hashlib.sha3_256(data).hexdigest(), "hmac": hmac.new(b"key", data, "sha256").hexdigest(), "same": hmac.compare_digest("a", "a"), "b64": base64.b64encode(data).decode(), "url": base64.urlsafe_b64encode(b"\xff\xfe").decode(), "b32": base64.b32encode(data).decode(), "hex": binascii.hexlify(data).decode(), "crc": binascii.crc32(data)}), "utf-8"))
