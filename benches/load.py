"""Load over keep-alive connections, from a process of its own: `load.run` starts this file as a program."""

import json
import os
import re
import selectors
import shutil
import socket
import subprocess
import sys
import time
from dataclasses import dataclass

LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)")
ANSWER_SECONDS = 60


@dataclass
class Result:
    count: int
    seconds: float
    errors: dict
    p50_ms: float
    p99_ms: float

    @property
    def rate(self):
        return self.count / self.seconds if self.seconds else 0.0


def run(address, path, *, connections=1, count=None, seconds=None, allowed=None, body=None):
    """POSTs `body`, or GETs without one. Sends `count` requests, or as many as fit into `seconds`. An answer is an error unless its status is 200 and its body one of `allowed`."""
    order = {
        "address": list(address),
        "path": path,
        "body": body,
        "connections": connections,
        "count": count,
        "seconds": seconds,
        "allowed": allowed and [body.decode("latin-1") for body in allowed],
    }
    child = subprocess.run([sys.executable, os.path.abspath(__file__)], input=json.dumps(order), capture_output=True, text=True, check=False)
    if child.returncode != 0:
        raise RuntimeError(f"the load could not run: {child.stderr[-2000:]}")
    return Result(**json.loads(child.stdout))


def wrk(address, path, connections, seconds):
    """Requests a second by wrk, or None where it is not installed or an answer was not 2xx."""
    if shutil.which("wrk") is None:
        return None
    url = f"http://{address[0]}:{address[1]}{path}"
    command = ["wrk", "-t1", f"-c{connections}", f"-d{max(1, round(seconds))}s", url]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    if "Non-2xx" in output:
        return None
    return float(re.search(r"Requests/sec:\s+([\d.]+)", output)[1])


class Connection:
    """One request at a time."""

    def __init__(self, address, request):
        self.address, self.request, self.socket = address, request, None

    def send(self):
        if self.socket is None:
            self.socket = socket.create_connection(self.address, timeout=ANSWER_SECONDS)
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.socket.setblocking(False)
        self.buffer, self.head_end, self.length, self.began = bytearray(), -1, None, time.perf_counter()
        self.socket.send(self.request)

    def receive(self):
        """Status and body once the answer is whole."""
        piece = self.socket.recv(1 << 18)
        if not piece:
            raise ConnectionError("the server closed the connection")
        self.buffer += piece
        if self.head_end < 0:
            self.head_end = self.buffer.find(b"\r\n\r\n")
            if self.head_end < 0:
                return None
            found = LENGTH.search(bytes(self.buffer[: self.head_end]).lower())
            self.length = found and int(found[1])
        start = self.head_end + 4
        if self.length is None:
            body = self._chunks(start)
        elif len(self.buffer) - start < self.length:
            body = None
        else:
            body = bytes(self.buffer[start:])
        return None if body is None else (int(self.buffer[9:12]), body)

    def _chunks(self, at):
        if not self.buffer.endswith(b"0\r\n\r\n"):
            return None
        body = bytearray()
        while (line := self.buffer.find(b"\r\n", at)) >= 0:
            size = int(self.buffer[at:line].split(b";")[0], 16)
            if size == 0:
                return bytes(body)
            body += self.buffer[line + 2 : line + 2 + size]
            at = line + size + 4
        return None

    def close(self):
        if self.socket is not None:
            self.socket.close()
            self.socket = None


class Load:
    def __init__(self, order):
        host, port = order["address"]
        body = order["body"]
        method, content = ("GET", "\r\n") if body is None else ("POST", f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n{body}")
        request = f"{method} {order['path']} HTTP/1.1\r\nhost: {host}:{port}\r\nuser-agent: blue-faas-bench\r\naccept: */*\r\n{content}"
        self.connections = [Connection((host, port), request.encode()) for _ in range(order["connections"])]
        self.allowed = order["allowed"] and {body.encode("latin-1") for body in order["allowed"]}
        self.count = order["count"] or 10**12
        self.seconds = order["seconds"] or 10**6
        self.sent, self.times, self.errors = 0, [], {}
        self.selector = selectors.DefaultSelector()

    def run(self):
        self.began = time.perf_counter()
        for connection in self.connections:
            self._next(connection)
        while self.selector.get_map():
            ready = self.selector.select(ANSWER_SECONDS)
            if not ready:
                self._error("no answer for a minute")
                break
            for key, _ in ready:
                self._read(key.data)
        seconds = time.perf_counter() - self.began
        self.times.sort()
        at = lambda share: 1000 * self.times[min(len(self.times) - 1, int(len(self.times) * share))] if self.times else 0.0
        return Result(len(self.times), seconds, self.errors, at(0.5), at(0.99))

    def _next(self, connection):
        while self.sent < self.count and time.perf_counter() - self.began < self.seconds:
            self.sent += 1
            try:
                connection.send()
                self.selector.register(connection.socket, selectors.EVENT_READ, connection)
                return
            except OSError as error:
                self._error(str(error))
                connection.close()
                # A server that is not there would otherwise be asked a thousand times a second.
                time.sleep(0.05)
        connection.close()

    def _read(self, connection):
        try:
            answer = connection.receive()
            if answer is None:
                return
            self.selector.unregister(connection.socket)
            self.times.append(time.perf_counter() - connection.began)
            status, body = answer
            if status != 200:
                self._error(f"{status} {body[:160]!r}")
            elif self.allowed and body not in self.allowed:
                self._error(f"another body: {body[:160]!r}")
        except (OSError, ValueError) as error:
            self._error(str(error))
            self.selector.unregister(connection.socket)
            connection.close()
        self._next(connection)

    def _error(self, text):
        self.errors[text] = self.errors.get(text, 0) + 1


if __name__ == "__main__":
    print(json.dumps(vars(Load(json.load(sys.stdin)).run())))
