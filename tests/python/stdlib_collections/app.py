import collections
import json

from spin_sdk.http import IncomingHandler as BaseHandler, Request, Response

RECENT: collections.deque[str] = collections.deque(["loaded"], maxlen=3)
COUNTS = collections.Counter("loaded")
ORDERED = collections.OrderedDict(a=1, b=2)


class IncomingHandler(BaseHandler):
    def handle_request(self, request: Request) -> Response:
        RECENT.append(request.uri)
        COUNTS.update("again")
        ORDERED.move_to_end("a")
        chain = collections.ChainMap({"a": 1}, {"a": 2, "b": 3})
        tree: collections.defaultdict[str, list[int]] = collections.defaultdict(list)
        tree["x"].append(1)
        Point = collections.namedtuple("Point", "x y", defaults=[0])
        answer = {"recent": list(RECENT), "counts": sorted(COUNTS.items()), "top": COUNTS.most_common(1), "ordered": list(ORDERED), "chain": sorted(chain.items()), "tree": tree, "point": str(Point(1)), "difference": dict(COUNTS - collections.Counter("aaaa"))}
        return Response(200, {"content-type": "application/json"}, bytes(json.dumps(answer), "utf-8"))
