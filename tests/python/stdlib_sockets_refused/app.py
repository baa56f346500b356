import encodings.idna
import http.client
import json
import socket
import urllib.request

from spin_sdk.http import IncomingHandler as BaseHandler, Request, Response


class IncomingHandler(BaseHandler):
    def handle_request(self, request):
        answer = {"status": http.client.responses[404]}
        for name, action in {
            "socket": lambda: socket.socket(),
            "connect": lambda: socket.create_connection(("127.0.0.1", 80), 1),
            "lookup": lambda: socket.getaddrinfo("example.com", 80),
            "host": lambda: socket.gethostname(),
            "http": lambda: http.client.HTTPConnection("127.0.0.1", 80, timeout=1).request("GET", "/"),
            "url": lambda: urllib.request.urlopen("http://127.0.0.1/", timeout=1),
        }.items():
            try:
                answer[name] = repr(action())
            except BaseException as error:
                answer[name] = f"{type(error).__name__}: {error}"
        return Response(200, {"content-type": "application/json"}, bytes(json.dumps(answer), "utf-8"))
