import json

from spin_sdk.http import IncomingHandler as BaseHandler, Request, Response


class Pause:
    def __await__(self):
        received = yield "paused"
        return received * 2


async def work(name):
    try:
        first = await Pause()
        second = await Pause()
        return [name, first, second]
    finally:
        print("finished", name)


async def numbers(limit):
    for n in range(limit):
        await Pause()
        yield n


async def collect():
    return [n async for n in numbers(3) if n != 1]


def drive(coroutine):
    steps = [coroutine.send(None)]
    try:
        while True:
            steps.append(coroutine.send(5))
    except StopIteration as stop:
        return [steps, stop.value]


WAITING = work("from the import")
FIRST = WAITING.send(None)


class IncomingHandler(BaseHandler):
    def handle_request(self, request):
        WAITING.send(1)
        try:
            WAITING.send(2)
            value = None
        except StopIteration as stop:
            value = stop.value
        closed = work("closed")
        closed.send(None)
        closed.close()
        answer = [FIRST, value, drive(work("here")), drive(collect())]
        return Response(200, {"content-type": "application/json"}, bytes(json.dumps(answer), "utf-8"))
