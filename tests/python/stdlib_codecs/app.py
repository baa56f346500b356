import codecs
import json

from spin_sdk.http import IncomingHandler as BaseHandler, Request, Response

NAMES = ["utf-8-sig", "utf-16", "utf-32-be", "latin-1", "cp1252", "euc-kr", "cp949", "shift_jis", "gb18030", "big5", "koi8-r", "idna", "punycode", "unicode_escape", "raw_unicode_escape", "mac-roman", "utf-7", "nothing"]
# Found now, by either way of building; in requests only one of them finds more.
for known in [*NAMES[:-1], "rot13"]:
    codecs.lookup(known)


class IncomingHandler(BaseHandler):
    def handle_request(self, request):
        answer = {}
        for name in NAMES:
            try:
                answer[name] = "한글é".encode(name).hex() if name not in ("latin-1", "cp1252", "mac-roman", "koi8-r") else "é".encode(name, "replace").hex()
            except (LookupError, UnicodeError) as error:
                answer[name] = f"{type(error).__name__}: {error}"
        answer["rot13"] = codecs.encode("Hello", "rot13")
        answer["errors"] = [b"a\xff".decode("utf-8", "backslashreplace"), "é".encode("ascii", "xmlcharrefreplace").decode(), b"\xed\xa0\x80".decode("utf-8", "surrogatepass").encode("utf-16", "surrogatepass").hex()]
        codecs.register_error("star", lambda error: ("*", error.end))
        answer["own"] = "aéb".encode("ascii", "star").decode()
        decoder = codecs.getincrementaldecoder("utf-8")()
        answer["incremental"] = [decoder.decode(b"\xed\x95"), decoder.decode(b"\x9c")]
        return Response(200, {"content-type": "application/json"}, bytes(json.dumps(answer), "utf-8"))
