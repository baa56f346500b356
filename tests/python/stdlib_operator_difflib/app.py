import difflib
import json
import operator

from spin_sdk.http import IncomingHandler as BaseHandler, Request, Response


class IncomingHandler(BaseHandler):
    def handle_request(self, request: Request) -> Response:
        answer = {"items": operator.itemgetter(1, "a".__len__())(["x", "y"]), "attribute": operator.attrgetter("real.imag")(5), "call": operator.methodcaller("split", ",")("a,b"), "diff": list(difflib.unified_diff(["a", "b"], ["a", "c"], "old", "new", lineterm="")), "ratio": difflib.SequenceMatcher(None, "abcd", "bcde").ratio(), "close": difflib.get_close_matches("appel", ["ape", "apple", "peach"]), "html": len(difflib.HtmlDiff().make_table(["a"], ["b"])) > 100}
        return Response(200, {"content-type": "application/json"}, bytes(json.dumps(answer), "utf-8"))
