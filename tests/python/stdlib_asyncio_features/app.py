import asyncio
import json

from spin_sdk.http.poll_loop import PollLoop
from spin_sdk.http import IncomingHandler as BaseHandler, Request, Response


def run_in(loop, coroutine):
    asyncio.set_event_loop(loop)
    return loop.run_until_complete(coroutine)


async def produce(queue):
    for n in range(3):
        await queue.put(n)
        await asyncio.sleep(0)


async def fail():
    raise ValueError("failed")


async def slow():
    await asyncio.sleep(0)
    return "slow"


async def work():
    queue = asyncio.Queue()
    task = asyncio.create_task(produce(queue))
    items = [await queue.get() for _ in range(3)]
    await task
    failed = await asyncio.gather(fail(), return_exceptions=True)
    async with asyncio.Lock():
        done, waiting = await asyncio.wait([asyncio.create_task(slow())])
    return [items, repr(failed), [task.result() for task in done], len(waiting)]


class IncomingHandler(BaseHandler):
    def handle_request(self, request):
        answer = {}
        for name, run in {
            "running": asyncio.get_running_loop,
            "work": lambda: run_in(PollLoop(), work()),
            "failed": lambda: run_in(PollLoop(), fail()),
        }.items():
            try:
                answer[name] = run()
            except BaseException as error:
                answer[name] = f"{type(error).__name__}: {error}"
        return Response(200, {"content-type": "application/json"}, bytes(json.dumps(answer), "utf-8"))
