import json
from typing import Any

from spin_sdk.http import IncomingHandler as BaseHandler, Request, Response

TREE: dict[str, Any] = {"list": [1, [2, [3]]], "set": {1, 2}, "bytes": bytearray(b"abc")}
ALIAS = TREE["list"][1]


class Counter:
    instances: list["Counter"] = []
    total = 0

    def __init__(self) -> None:
        Counter.instances.append(self)
        Counter.total += 1


Counter()


class IncomingHandler(BaseHandler):
    def handle_request(self, request: Request) -> Response:
        ALIAS.append(len(ALIAS))
        TREE["set"].add(3)
        TREE["bytes"] += b"d"
        TREE["list"].append(request.method)
        Counter()
        setattr(Counter, request.uri, True)
        answer = {"list": TREE["list"], "set": sorted(TREE["set"]), "bytes": TREE["bytes"].decode(), "made": [len(Counter.instances), Counter.total], "same": ALIAS is TREE["list"][1]}
        return Response(200, {"content-type": "application/json"}, bytes(json.dumps(answer), "utf-8"))
