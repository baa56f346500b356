import bisect
import heapq
import json

from spin_sdk.http import IncomingHandler as BaseHandler, Request, Response

QUEUE: list[tuple[int, str]] = []
for entry in [(3, "c"), (1, "a"), (2, "b")]:
    heapq.heappush(QUEUE, entry)


class IncomingHandler(BaseHandler):
    def handle_request(self, request: Request) -> Response:
        heapq.heappush(QUEUE, (0, request.uri))
        scores = [10, 20, 30]
        bisect.insort(scores, 25)
        answer = {"first": heapq.heappop(QUEUE), "left": len(QUEUE), "largest": heapq.nlargest(2, QUEUE), "merged": list(heapq.merge([1, 4], [2, 3])), "scores": scores, "at": bisect.bisect_left(scores, 20)}
        return Response(200, {"content-type": "application/json"}, bytes(json.dumps(answer), "utf-8"))
