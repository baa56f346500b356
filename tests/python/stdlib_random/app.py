import json
import random

from spin_sdk.http import IncomingHandler as BaseHandler, Request, Response

LOADED = [random.random() for _ in range(3)]
OWN = random.Random(5)
BEFORE = OWN.random()


class IncomingHandler(BaseHandler):
    def handle_request(self, request: Request) -> Response:
        system = random.SystemRandom()
        seeded = random.Random("text")
        state = OWN.getstate()
        first = OWN.random()
        OWN.setstate(state)
        random.seed(7)
        answer = {
            "loaded": len(set(LOADED)),
            "own": [BEFORE, first, OWN.random() == first],
            "seeded": [seeded.randint(1, 100), seeded.choice("abc"), seeded.sample(range(10), 3), round(seeded.gauss(0, 1), 12)],
            "global": [random.random(), random.randrange(1000), random.choices("ab", k=4)],
            "shuffled": seeded.sample([1, 2, 3, 4], 4),
            "system": 0 <= system.random() < 1,
        }
        return Response(200, {"content-type": "application/json"}, bytes(json.dumps(answer), "utf-8"))
