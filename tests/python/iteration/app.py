import collections
import functools
import heapq
import itertools
import json
import operator

from spin_sdk.http import IncomingHandler as BaseHandler, Request, Response

@functools.lru_cache(maxsize=None)
def fibonacci(n: int) -> int:
    return n if n < 2 else fibonacci(n - 1) + fibonacci(n - 2)


@functools.singledispatch
def kind(value: object) -> str:
    return 'other'


@kind.register
def _(value: int) -> str:
    return 'number'


class IncomingHandler(BaseHandler):
    def handle_request(self, request: Request) -> Response:
        counts = collections.Counter("abracadabra")
        heap = [5, 1, 4]
        heapq.heapify(heap)
        data = sorted([("b", 1), ("a", 2), ("b", 3)])
        return Response(200, {"content-type": "application/json"}, bytes(json.dumps({"fib": fibonacci(80), "info": list(fibonacci.cache_info()), "kind": [kind(1), kind("a")], "common": counts.most_common(2), "groups": {k: [v for _, v in g] for k, g in itertools.groupby(data, operator.itemgetter(0))}, "product": list(itertools.product("ab", [1, 2])), "chain": list(itertools.chain.from_iterable([[1], [2, 3]])), "heap": [heapq.heappop(heap) for _ in range(3)], "acc": list(itertools.accumulate([1, 2, 3], operator.mul)), "deque": list(collections.deque([1, 2, 3], maxlen=2)), "default": dict(collections.defaultdict(list, {"a": [1]}))}), "utf-8"))
