import json

from spin_sdk.http import IncomingHandler as BaseHandler, Request, Response


def averager():
    total, count, average = 0, 0, None
    while True:
        try:
            value = yield average
        except ValueError:
            total, count, average = 0, 0, "reset"
            continue
        total += value
        count += 1
        average = total / count


RUNNING = averager()
next(RUNNING)
RUNNING.send(10)


def delegating():
    result = yield from (n for n in [1, 2])
    yield result
    try:
        yield "last"
    finally:
        print("closed")


class Countdown:
    def __init__(self, start):
        self.start = start

    def __iter__(self):
        return iter(range(self.start, 0, -1))


class IncomingHandler(BaseHandler):
    def handle_request(self, request):
        values = [RUNNING.send(20), RUNNING.throw(ValueError), RUNNING.send(4)]
        generator = delegating()
        taken = [next(generator) for _ in range(4)]
        generator.close()
        answer = [values, taken, list(Countdown(3)), sum(n * n for n in range(10)), list(iter([3, 2, 1].pop, 1))]
        try:
            next(iter(()))
        except StopIteration as error:
            answer.append(repr(error))
        return Response(200, {"content-type": "application/json"}, bytes(json.dumps(answer), "utf-8"))
