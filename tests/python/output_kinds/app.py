import sys

from spin_sdk.http import IncomingHandler as BaseHandler, Request, Response


class IncomingHandler(BaseHandler):
    def handle_request(self, request: Request) -> Response:
        if request.uri == "/large":
            for n in range(2000):
                print("line", n, "x" * 20)
            return Response(200, {}, b"much")
        print("with flush", flush=True)
        print("a", "b", sep="-", end="")
        print("c", end="\n\n")
        print("to stderr", file=sys.stderr)
        sys.stderr.write("no line break on stderr")
        print("한글 \U0001f600 é \x07 \t tab")
        print(repr("\ud800"), {"a": None}, [1.0], b"bytes")
        sys.stdout.buffer.write(b"raw \xff bytes\n")
        sys.stdout.writelines(["one\n", "two\n"])
        print("carriage\rreturn")
        print()
        print("last", end="")
        return Response(200, {}, b"written")
