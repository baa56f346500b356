import contextlib
import json
from typing import Generator, Iterator

from spin_sdk.http import IncomingHandler as BaseHandler, Request, Response

def numbers() -> Iterator[int]:
    try:
        yield 1
        received = yield from inner()
        print('received', received)
        yield 3
    finally:
        print('closed')


def inner() -> Generator[int, None, str]:
    yield 2
    return 'inner is done'


@contextlib.contextmanager
def traced(name: str) -> Iterator[str]:
    print('enter', name)
    try:
        yield name.upper()
    finally:
        print('exit', name)


OPEN = numbers()
FIRST = next(OPEN)


class IncomingHandler(BaseHandler):
    def handle_request(self, request: Request) -> Response:
        with traced("a") as name, contextlib.suppress(ZeroDivisionError):
            print(name, 1 // 0)
        rest = list(OPEN)
        return Response(200, {"content-type": "application/json"}, bytes(json.dumps({"first": FIRST, "rest": rest, "again": list(OPEN)}), "utf-8"))
