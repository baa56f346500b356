"""The REST API, and a function's way from its source to its URL."""

import base64
import http.client
import json
import secrets
import time
from dataclasses import dataclass
from urllib.parse import urlsplit

BUILD_SECONDS = 300
POLL_SECONDS = 0.02


class Refused(Exception):
    """An answer that is not what was asked for."""


def get(address, path, headers=None):
    """Status, headers and body over a connection of its own."""
    connection = http.client.HTTPConnection(*address, timeout=30)
    try:
        connection.request("GET", path, headers=headers or {})
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()
    finally:
        connection.close()


def encoded(source):
    return base64.b64encode(source).decode()


class Api:
    def __init__(self, address):
        self.address = address

    def _send(self, method, path, body=None, content_type=None):
        connection = http.client.HTTPConnection(*self.address, timeout=60)
        try:
            connection.request(method, path, body, {"content-type": content_type} if content_type else {})
            answer = connection.getresponse()
            text = answer.read().decode()
        finally:
            connection.close()
        if not 200 <= answer.status < 300:
            raise Refused(f"{method} {path}: {answer.status} {text[:500]}")
        return json.loads(text) if text else None

    def get(self, path):
        return self._send("GET", path)

    def post(self, path, value=None):
        return self._send("POST", path, json.dumps(value or {}), "application/json")

    def patch(self, path, value):
        return self._send("PATCH", path, json.dumps(value), "application/json")

    def upload(self, path, fields, name, content):
        boundary = secrets.token_hex(16)
        parts = [f'--{boundary}\r\ncontent-disposition: form-data; name="{key}"\r\n\r\n{value}\r\n' for key, value in fields.items()]
        head = f'--{boundary}\r\ncontent-disposition: form-data; name="file"; filename="{name}"\r\ncontent-type: text/x-python\r\n\r\n'
        body = ("".join(parts) + head).encode() + content + f"\r\n--{boundary}--\r\n".encode()
        return self._send("POST", path, body, f"multipart/form-data; boundary={boundary}")

    def create_workspace(self, name):
        return self.post("/api/workspaces", {"name": name, "description": "Made by the benchmark"})["id"]

    def create_function(self, workspace, name, source):
        return self.post(f"/api/workspaces/{workspace}/functions", {"name": name, "code": encoded(source), "httpMethods": ["GET", "POST"]})["id"]

    def counted(self, workspace, function):
        """Invocations of a function within 24 hours."""
        return self.get(f"/api/workspaces/{workspace}/functions/{function}")["invocations24h"]

    def listed(self, workspace, function):
        """Executions of a function, all pages of them."""
        rows, cursor = 0, ""
        while cursor is not None:
            page = self.get(f"/api/workspaces/{workspace}/functions/{function}/logs?limit=1000{cursor and f'&cursor={cursor}'}")
            rows += page["total"]
            cursor = page.get("next")
        return rows


@dataclass
class Deployed:
    workspace: str
    function: str
    app: str
    deployment_path: str
    """Path at the functions listener."""
    seconds: float
    """From the upload to the first right answer at the URL."""
    stages: str


def deploy(api, functions_address, workspace, function, app, source, expected):
    """Builds, pushes, deploys and asks the URL until it answers `expected`."""
    begin = time.perf_counter()
    fields = {"workspace_id": workspace, "function_id": function, "app_name": app, "registry_url": f"registry.local/{app}"}
    task = api.upload("/api/v1/build-and-push", fields, "app.py", source)["task_id"]
    while True:
        state = api.get(f"/api/v1/tasks/{task}?workspace_id={workspace}")
        if state["status"] in ("done", "failed", "cancelled"):
            break
        if time.perf_counter() - begin > BUILD_SECONDS:
            raise Refused(f"the build of {app} takes longer than {BUILD_SECONDS} s")
        time.sleep(POLL_SECONDS)
    if state["status"] != "done":
        raise Refused(f"the build of {app} ended as {state['status']}: {state['error']}")
    built = time.perf_counter()
    image = state["result"]["image_url"]
    answer = api.post("/api/v1/deploy", {"app_name": app, "namespace": "default", "image_ref": image, "function_id": function})
    path = urlsplit(answer["endpoint"]).path.rstrip("/") + "/"
    wait_for(functions_address, path, expected)
    end = time.perf_counter()
    stages = f"build and push {built - begin:.1f} s, deploy {end - built:.2f} s"
    return Deployed(workspace, function, answer["app_name"], path, end - begin, stages)


def wait_for(address, path, expected, seconds=30):
    """Asks until the answer is the function's own."""
    end = time.perf_counter() + seconds
    while True:
        try:
            status, _, body = get(address, path)
            if status == 200 and body == expected:
                return
            seen = f"{status} {body[:200]!r}"
        except OSError as error:
            seen = str(error)
        if time.perf_counter() > end:
            raise Refused(f"{path} does not answer as expected: {seen}")
        time.sleep(POLL_SECONDS)
