import json
import unicodedata

from spin_sdk.http import IncomingHandler as BaseHandler, Request, Response


class IncomingHandler(BaseHandler):
    def handle_request(self, request):
        answer = {"version": unicodedata.unidata_version, "names": [unicodedata.name(c) for c in "é한😀ß"], "lookup": unicodedata.lookup("SNOWMAN"), "categories": [unicodedata.category(c) for c in "aA1 _\n"], "normal": [unicodedata.normalize(form, "ﬁ é").encode().hex() for form in ("NFC", "NFD", "NFKC", "NFKD")], "numeric": unicodedata.numeric("½"), "bidirectional": unicodedata.bidirectional("א"), "width": unicodedata.east_asian_width("한"), "folded": "Straße".casefold()}
        return Response(200, {"content-type": "application/json"}, bytes(json.dumps(answer), "utf-8"))
