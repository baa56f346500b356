import json
import re

from spin_sdk.http import IncomingHandler as BaseHandler, Request, Response

WORDS = re.compile(r"""
    (?P<key>\w+) \s*=\s*    # what
    (?P<value>"[^"]*"|\d+)  # is
""", re.VERBOSE)


class IncomingHandler(BaseHandler):
    def handle_request(self, request):
        text = 'größe = 12, name="x y", 한글=3'
        answer = {"found": [match.groupdict() for match in WORDS.finditer(text)], "spans": [match.span() for match in WORDS.finditer(text)], "replaced": WORDS.sub(r"\g<value>:\1", text), "behind": re.findall(r"(?<!\d)\d{1}(?!\d)", "1 22 3"), "flags": re.findall(r"(?im)^a$", "A\nb\na"), "possessive": bool(re.match(r"a++b", "aaab")), "escaped": re.escape("a.b*[c]"), "split": re.split(r"(,)\s*", "a, b,c"), "bytes": re.findall(rb"\w+", b"ab cd").__len__()}
        try:
            re.compile("(a")
        except re.error as error:
            answer["error"] = str(error)
        return Response(200, {"content-type": "application/json"}, bytes(json.dumps(answer), "utf-8"))
