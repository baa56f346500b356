"""The same handler under `wasmtime serve`, where that is installed."""

import os
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import client
import load
import sources


def venv():
    """The builder's Python environment, found as the server finds it."""
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(os.environ.get("BLUE_FAAS_VENV") or Path(cache) / "blue-faas/venv")


def build(folder, source):
    """A component of WASI interfaces only: `wasmtime serve` has none of Spin's."""
    folder = Path(folder) / "wasi-only"
    packages = folder / "packages"
    sdk = next(venv().glob("lib/python3*/site-packages/spin_sdk"))
    shutil.copytree(sdk, packages / "spin_sdk", ignore=shutil.ignore_patterns("__pycache__"))
    world = packages / "spin_sdk/wit/spin.wit"
    only_http = "world spin-imports {\n  import wasi:http/outgoing-handler@0.2.0;\n}"
    world.write_text(re.sub(r"world spin-imports \{.*?\n\}", only_http, world.read_text(), count=1, flags=re.S))
    (folder / "app.py").write_bytes(source)
    (folder / "empty").mkdir()
    start = "import sys; from componentize_py import script; sys.exit(script())"
    command = [venv() / "bin/python", "-I", "-c", start, "-q", "-w", "spin-http", "componentize", "app", "-p", ".", "-p", "packages", "-o", "app.wasm"]
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "VIRTUAL_ENV": str(folder / "empty")}
    subprocess.run(command, cwd=folder, env=environment, check=True, stdout=sys.stderr)
    return folder / "app.wasm"


def measure(report, folder, seconds):
    wasmtime = shutil.which("wasmtime")
    if wasmtime is None:
        report.note("`wasmtime serve` is not on PATH: not compared.")
        return
    source, answer = sources.hello()
    component = build(folder, source)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = free.getsockname()
    command = [wasmtime, "serve", "-S", "cli=y", "--addr", f"127.0.0.1:{address[1]}", str(component)]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        client.wait_for(address, "/", answer, seconds=120)
        load.run(address, "/", connections=8, count=100, allowed=[answer])
        result = load.run(address, "/", connections=8, seconds=4 * seconds, allowed=[answer])
    finally:
        process.terminate()
        process.wait()
    report.check_load("wasmtime serve", result)
    report.add("`wasmtime serve`, the same handler, c=8, rate", result.rate, "req/s", beside=f"p50 {result.p50_ms:.1f} ms; nothing recorded, no limits")
