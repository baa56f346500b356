import json

from spin_sdk.http import IncomingHandler as BaseHandler, Request, Response

BIG = 3 ** 5000


class IncomingHandler(BaseHandler):
    def handle_request(self, request):
        answer = {"bits": BIG.bit_length(), "digits": len(str(2 ** 10000)), "modular": pow(3, -1, 7), "power": pow(5, 10**18, 10**9 + 7), "divided": str(divmod(-BIG, 10**2000)[1])[:20], "hash": hash(BIG), "bytes": (255 ** 20).to_bytes(20, "big").hex(), "float": float(2**70), "parsed": int("z" * 30, 36) % 1000, "bits of": bin(-37), "counted": (2**100 - 1).bit_count()}
        for name, action in {"text": lambda: str(10 ** 5000), "shift": lambda: 1 << (1 << 60), "infinite": lambda: int(float("inf"))}.items():
            try:
                answer[name] = len(action())
            except Exception as error:
                answer[name] = f"{type(error).__name__}: {error}"
        return Response(200, {"content-type": "application/json"}, bytes(json.dumps(answer), "utf-8"))
