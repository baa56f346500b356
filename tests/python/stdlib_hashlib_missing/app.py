import hashlib
import json

from spin_sdk.http import IncomingHandler as BaseHandler, Request, Response


class IncomingHandler(BaseHandler):
    def handle_request(self, request):
        answer = {"scrypt": hasattr(hashlib, "scrypt"), "available": sorted(hashlib.algorithms_available)}
        for name in ["md4", "ripemd160", "sm3", "nothing"]:
            try:
                answer[name] = hashlib.new(name, b"a").hexdigest()
            except Exception as error:
                answer[name] = f"{type(error).__name__}: {error}"
        return Response(200, {"content-type": "application/json"}, bytes(json.dumps(answer), "utf-8"))
