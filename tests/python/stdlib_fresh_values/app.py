import json
import os
import random
import secrets
import time
import uuid

from spin_sdk import key_value
from spin_sdk.http import IncomingHandler as BaseHandler, Request, Response


class IncomingHandler(BaseHandler):
    def handle_request(self, request: Request) -> Response:
        names = ["random", "uuid", "secrets", "urandom", "time", "monotonic"]
        values = [repr(random.random()), str(uuid.uuid4()), secrets.token_hex(8), os.urandom(8).hex(), repr(time.time_ns()), repr(time.time())]
        with key_value.open_default() as store:
            previous = (store.get("previous") or b"").decode().split(",")
            store.set("previous", ",".join(values).encode())
        answer = {name: value not in previous for name, value in zip(names, values)}
        return Response(200, {"content-type": "application/json"}, bytes(json.dumps(answer), "utf-8"))
