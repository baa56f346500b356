"""Calls in cloud mode: records in DynamoDB, the function behind an address of its own."""

import os
import shutil
import socket
import statistics
import subprocess
import sys
import time

import client
import load
import sources
from server import Server

ANSWER = b"Hello from Blue FaaS!"
# The function: answers every request alike, from a process of its own.
FUNCTION = f"""
import asyncio, sys
ANSWER = b"HTTP/1.1 200 OK\\r\\ncontent-type: text/plain\\r\\ncontent-length: {len(ANSWER)}\\r\\n\\r\\n{ANSWER.decode()}"
class Function(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport = transport
    def data_received(self, data):
        if b"\\r\\n\\r\\n" in data:
            self.transport.write(ANSWER)
async def serve():
    server = await asyncio.get_running_loop().create_server(Function, "127.0.0.1", int(sys.argv[1]))
    await server.serve_forever()
asyncio.run(serve())
"""


def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def listening(port):
    for _ in range(500):
        with socket.socket() as one:
            if one.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise RuntimeError(f"nothing listens on port {port}")


def start(*command):
    return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def measure(bench):
    if shutil.which("dynoxide") is None:
        bench.report.note("dynoxide is not on PATH (`make setup-test`): calls in cloud mode were not measured.")
        return
    table, function = free_port(), free_port()
    processes = [start("dynoxide", "serve", "--port", str(table)), start(sys.executable, "-c", FUNCTION, str(function))]
    try:
        listening(table), listening(function)
        settings = {
            "BLUE_FAAS_STORE": "dynamodb",
            "AWS_ENDPOINT_URL_DYNAMODB": f"http://127.0.0.1:{table}",
            "AWS_ACCESS_KEY_ID": "bench",
            "AWS_SECRET_ACCESS_KEY": "bench",
            "BLUE_FAAS_INVOKE_ALLOWED_HOSTS": "127.0.0.1",
            # Nothing is built or deployed here: nobody listens at these.
            "BLUE_FAAS_BUILDER": "remote",
            "BLUE_FAAS_PLATFORM": "spinapp",
            "BUILDER_SERVICE_URL": "http://127.0.0.1:9",
            "BLUE_FAAS_KUBERNETES_URL": "http://127.0.0.1:9",
        }
        subprocess.run([bench.program, "table", "create"], env=os.environ | settings, check=True, stdout=sys.stderr)
        with Server(bench.program, bench.site, f"{bench.folder}/cloud", settings) as server:
            calls(bench, server, f"http://127.0.0.1:{function}/")
    finally:
        for process in processes:
            process.terminate()
            process.wait()


def calls(bench, server, address):
    api = client.Api(server.console)
    workspace = api.create_workspace("Cloud")
    id = api.create_function(workspace, "elsewhere", sources.hello()[0])
    api.patch(f"/api/workspaces/{workspace}/functions/{id}", {"invocationUrl": address})
    path = f"/api/workspaces/{workspace}/functions/{id}/invoke"
    for name, connections, count in (("one after another", 1, bench.calls), ("c=8", 8, 2 * bench.calls)):
        load.run(server.console, path, connections=connections, count=count // 5, body="{}")
        before, used, results = api.counted(workspace, id), [], []
        for _ in range(bench.rounds):
            begin = server.cpu_seconds()
            result = load.run(server.console, path, connections=connections, count=count, body="{}")
            time.sleep(0.3)
            used.append((server.cpu_seconds() - begin) / count * 1000)
            results.append(result)
            bench.report.check_load(f"invoke in cloud mode, {name}", result)
        made, counted = count * bench.rounds, api.counted(workspace, id) - before
        if counted != made:
            bench.report.fail(f"invoke in cloud mode, {name}: {made} calls were made, but {counted} counted")
        middle = results[len(results) // 2]
        beside = f"p50 {middle.p50_ms:.1f} ms, p99 {middle.p99_ms:.1f} ms; {made} calls = {counted} counted"
        bench.report.add(f"invoke in cloud mode, {name}, CPU a call", statistics.median(used), "ms", at_most=1, beside=beside)
