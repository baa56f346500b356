import asyncio
import json

from spin_sdk.http.poll_loop import PollLoop
from spin_sdk.http import IncomingHandler as BaseHandler, Request, Response


async def add(a, b):
    await asyncio.sleep(0)
    return a + b


async def work():
    return await asyncio.gather(add(1, 2), add(3, 4))


class IncomingHandler(BaseHandler):
    def handle_request(self, request):
        loop = PollLoop()
        asyncio.set_event_loop(loop)
        try:
            answer = list(loop.run_until_complete(work()))
        except BaseException as error:
            answer = f"{type(error).__name__}: {error}"
        return Response(200, {"content-type": "application/json"}, bytes(json.dumps(answer), "utf-8"))
