import asyncio
import json

from spin_sdk.http import IncomingHandler as BaseHandler, Request, Response

async def later(value: int) -> int:
    await asyncio.sleep(0)
    return value * 2


async def both() -> list[int]:
    return list(await asyncio.gather(later(1), later(2)))


class IncomingHandler(BaseHandler):
    def handle_request(self, request: Request) -> Response:
        try:
            result = str(asyncio.run(both()))
        except BaseException as error:
            result = type(error).__name__
        return Response(200, {"content-type": "application/json"}, bytes(json.dumps({"result": result}), "utf-8"))
