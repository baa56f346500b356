import itertools
import json

from spin_sdk.http import IncomingHandler as BaseHandler, Request, Response

COUNTER = itertools.count(10, 5)
FIRST = next(COUNTER)
CYCLE = itertools.cycle("abc")
next(CYCLE)


class IncomingHandler(BaseHandler):
    def handle_request(self, request):
        answer = {
            "count": [FIRST, next(COUNTER)],
            "cycle": [next(CYCLE) for _ in range(4)],
            "batched": list(itertools.batched("abcde", 2)),
            "pairwise": list(itertools.pairwise([1, 2, 3])),
            "combinations": list(itertools.combinations("abc", 2)),
            "permutations": len(list(itertools.permutations(range(5)))),
            "takewhile": list(itertools.takewhile(lambda n: n < 3, [1, 2, 3, 1])),
            "zip": list(itertools.zip_longest("ab", "c", fillvalue="-")),
            "tee": [list(copy) for copy in itertools.tee([1, 2])],
            "islice": list(itertools.islice(itertools.count(), 2, 9, 3)),
            "starmap": list(itertools.starmap(pow, [(2, 3), (3, 2)])),
        }
        return Response(200, {"content-type": "application/json"}, bytes(json.dumps(answer), "utf-8"))
