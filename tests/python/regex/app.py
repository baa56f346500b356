import json
import re

from spin_sdk.http import IncomingHandler as BaseHandler, Request, Response

WORD = re.compile(r"(?P<first>\w)(\w*)", re.UNICODE)


class IncomingHandler(BaseHandler):
    def handle_request(self, request: Request) -> Response:
        text = "The quick br\u00f6wn fox, 42 times"
        return Response(200, {"content-type": "application/json"}, bytes(json.dumps({"all": WORD.findall(text), "sub": re.sub(r"\d+", lambda m: str(int(m[0]) * 2), text), "split": re.split(r"[ ,]+", text), "look": re.findall(r"(?<=q)u(?=i)", text), "names": [m.groupdict() for m in WORD.finditer(text)]}), "utf-8"))
