"""Python sources to deploy."""

import secrets

HELLO = """from spin_sdk.http import IncomingHandler as BaseHandler, Request, Response


class IncomingHandler(BaseHandler):
    def handle_request(self, request: Request) -> Response:
        return Response(200, {"content-type": "text/plain"}, bytes("TEXT", "utf-8"))
"""


def hello(text="Hello from Blue FaaS!"):
    """A source nobody built before, and what it answers."""
    source = f"{HELLO.replace('TEXT', text)}\n\n# {secrets.token_hex(8)}\n"
    return source.encode(), text.encode()


def of_size(size, number):
    """A source of exactly this many bytes."""
    head = HELLO.replace("TEXT", f"function {number}") + "\n\n"
    line = "# a comment as long as many a line of a function's code is, to fill what a real one would hold\n"
    return (head + line * (size // len(line) + 1))[:size].encode()
