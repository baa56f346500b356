import encodings.utf_16_le
import json
import unicodedata

from spin_sdk.http import IncomingHandler as BaseHandler, Request, Response

TEXT = "na\u00efve \uc548\ub155 \U0001f600 \u0130"


class IncomingHandler(BaseHandler):
    def handle_request(self, request: Request) -> Response:
        print(TEXT, request.uri)
        return Response(200, {"content-type": "application/json"}, bytes(json.dumps({"upper": TEXT.upper(), "fold": TEXT.casefold(), "names": [unicodedata.name(c, "?") for c in TEXT[:8]], "nfd": unicodedata.normalize("NFD", TEXT), "bytes": len(TEXT.encode()), "utf16": TEXT.encode("utf-16-le").hex(), "title": "\u01c6".title(), "digits": int("\u0664\u0662"), "uri": request.uri}), "utf-8"))
