import json
import statistics

from spin_sdk.http import IncomingHandler as BaseHandler, Request, Response


class IncomingHandler(BaseHandler):
    def handle_request(self, request: Request) -> Response:
        data = [2.5, 3.25, 5.5, 11, 11.75]
        answer = [statistics.mean(data), statistics.median(data), statistics.pstdev(data), statistics.quantiles(data, n=4), statistics.mode("aabbb"), statistics.multimode("aabb"), statistics.linear_regression([1, 2, 3], [2, 4, 7]).slope, statistics.NormalDist(0, 1).cdf(1.5), statistics.harmonic_mean([40, 60]), statistics.correlation([1, 2, 3], [1, 3, 2])]
        return Response(200, {"content-type": "application/json"}, bytes(json.dumps(answer), "utf-8"))
