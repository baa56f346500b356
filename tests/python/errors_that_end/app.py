import sys

from spin_sdk.http import IncomingHandler as BaseHandler, Request, Response


class IncomingHandler(BaseHandler):
    def handle_request(self, request: Request) -> Response:
        match request.uri:
            case "/exit":
                sys.exit(0)
            case "/exit-text":
                sys.exit("a reason")
            case "/exit-none":
                raise SystemExit
            case "/quit":
                print("before")
                sys.stdout.write("unfinished")
                raise SystemExit(2)
            case "/keyboard":
                raise KeyboardInterrupt
            case "/base":
                raise BaseException("of all")
            case "/generator":
                raise GeneratorExit
        return Response(200, {}, b"here")
