"""What a page costs when there is much of everything, and deleting it all. Takes minutes, so it runs only by its name."""

import contextlib
import copy
import hashlib
import http.client
import json
import os
import re
import sqlite3
import subprocess
import sys
import time
import uuid
import zipfile
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from pathlib import Path

import client
import sources

FUNCTIONS = (100, 1_000, 10_000)
EXECUTIONS = (100, 1_000, 10_000, 1_000_000)
PAGE = 50
SAMPLES = 200


def measure(bench):
    functions(bench)
    executions(bench)


def settle(server):
    """Waits until the server does nothing: what it does after its start would be counted with the first pages."""
    while True:
        begin = server.cpu_seconds()
        time.sleep(1)
        if server.cpu_seconds() - begin < 0.02:
            return


def cpu(server, path):
    """CPU of one request, in microseconds."""
    connection = http.client.HTTPConnection(*server.console)
    begin = server.cpu_seconds()
    for sample in range(SAMPLES):
        # At an address of its own, or what was kept of the first answer would be measured.
        connection.request("GET", f"{path}&sample={server.process.pid}-{sample}")
        answer = connection.getresponse()
        body = answer.read()
        if answer.status != 200:
            raise client.Refused(f"{path}: {answer.status} {body[:200]}")
    return (server.cpu_seconds() - begin) / SAMPLES * 1e6


def cursor_at(server, path, pages):
    """Where the page after so many begins; the last one's end where there are fewer."""
    cursor = ""
    for _ in range(pages):
        _, headers, body = client.get(server.console, f"{path}limit={PAGE}{cursor and f'&cursor={cursor}'}")
        found = re.search(r"[?&]cursor=([^&>]+)", headers.get("link", "")) or re.search(r'"next":"([^"]+)"', body.decode()[-300:])
        if not found:
            break
        cursor = found[1]
    return cursor and f"&cursor={cursor}"


def compare(bench, what, used):
    """One row a page: its cost at the largest size, beside that of a full page at the smallest size that has one."""
    base = next(iter(used["first page"].values()))
    for page, costs in used.items():
        sizes = list(costs)
        first = costs[sizes[0]] if page.startswith("filtered") else base
        beside = ", ".join(f"{cost:.0f} µs at {size:,}" for size, cost in costs.items())
        bench.report.add(f"{what}, {page} at {sizes[-1]:,}, CPU to that of few", costs[sizes[-1]] / max(first, 1), "×", at_most=1.5, beside=beside)


def pages(server, path, size, used, filtered):
    """Measures the pages that there are at this size."""
    used.setdefault("first page", {})[size] = cpu(server, f"{path}limit={PAGE}")
    if size > 100 * PAGE:
        used.setdefault("page 100", {})[size] = cpu(server, f"{path}limit={PAGE}{cursor_at(server, path, 99)}")
    # With fewer rows there is no whole page of those that pass.
    if size >= 1_000:
        used.setdefault("filtered page", {})[size] = cpu(server, filtered)


def create(server, workspace, numbers):
    source, _ = sources.hello()
    connection = http.client.HTTPConnection(*server.console)
    for number in numbers:
        body = json.dumps({"name": f"function-{number:05}", "code": client.encoded(source)})
        connection.request("POST", f"/api/workspaces/{workspace}/functions", body, {"content-type": "application/json"})
        answer = connection.getresponse()
        if answer.status != 201:
            raise client.Refused(f"a function was refused: {answer.status} {answer.read()[:200]}")
        answer.read()


def functions(bench):
    with bench.server("scale-functions") as server:
        workspace = client.Api(server.console).create_workspace("Many")
        made, used = 0, {}
        for size in FUNCTIONS:
            with ThreadPoolExecutor(8) as pool:
                list(pool.map(lambda start: create(server, workspace, range(made + start, size, 8)), range(8)))
            made = size
            path = f"/api/workspaces/{workspace}/functions?fields=summary&"
            pages(server, path, size, used, filtered=f"/workspaces/{workspace}/functions?q=function-00")
        compare(bench, "functions", used)
        delete(bench, server, workspace, FUNCTIONS[-1])


def delete(bench, server, workspace, size):
    """Ends the server in the middle of a deletion; the next one finishes it."""
    connection = http.client.HTTPConnection(*server.console)
    connection.request("DELETE", f"/api/workspaces/{workspace}")
    time.sleep(2)
    server.process.kill()
    server.process.wait()
    begin = time.perf_counter()
    server.start()
    while items(server) > 0:
        if time.perf_counter() - begin > 600:
            bench.report.fail(f"deleting {size:,} functions: {items(server)} items are left after ten minutes")
            return
        time.sleep(1)
    seconds = time.perf_counter() - begin
    bench.report.add(f"deleting {size:,} functions, killed after 2 s: the next start finishes it", seconds, "s", beside="nothing is left in the store")


def exported(bench, server, file):
    Path(file).unlink(missing_ok=True)
    environment = os.environ | {"BLUE_FAAS_DATA_DIR": str(server.data)}
    subprocess.run([bench.program, "export", file], env=environment, check=True, stdout=sys.stderr, cwd=server.data.parent)


def items(server, ids=("*",)):
    """Of these functions and workspaces, or of all; what is shared by all may stay."""
    patterns = [f"{kind}#{id}{rest}" for kind in ("FN", "WS", "STAT#FN", "STAT#WS", "ACTIVITY") for id in ids for rest in ("", "#*")]
    of_them = " OR ".join(["pk GLOB ?"] * len(patterns))
    with contextlib.closing(sqlite3.connect(f"file:{server.data}/blue-faas.db?mode=ro", uri=True)) as store:
        return store.execute(f"SELECT count(*) FROM items WHERE {of_them}", patterns).fetchone()[0]


def executions(bench):
    with bench.server("scale-one") as server:
        api = client.Api(server.console)
        workspace = api.create_workspace("Busy")
        source, answer = sources.hello()
        ids = [api.create_function(workspace, f"function-{size}", source) for size in EXECUTIONS]
        client.deploy(api, server.functions, workspace, ids[0], "busy", source, answer)
        client.wait_for(server.functions, "/busy/", answer)
        wide = {size: fill(server, api, size) for size in FUNCTIONS}
        server.stop()
        seed = f"{bench.folder}/one.zip"
        exported(bench, server, seed)
    filled = f"{bench.folder}/filled.zip"
    multiply(seed, filled, [
        *((workspace, function, index) for function, size in zip(ids, EXECUTIONS) for index in range(size)),
        # Each of them was called three times, one after another.
        *((other, function, index) for other, functions in wide.values() for index, function in enumerate(functions * 3)),
    ])
    server = bench.server("scale-executions")
    server.data.mkdir(parents=True)
    begin = time.perf_counter()
    environment = os.environ | {"BLUE_FAAS_DATA_DIR": str(server.data)}
    subprocess.run([bench.program, "import", filled], env=environment, check=True, stdout=sys.stderr, cwd=server.data.parent)
    number = sum(EXECUTIONS) + 3 * sum(FUNCTIONS)
    bench.report.add(f"import of {number:,} executions", time.perf_counter() - begin, "s")
    with server:
        settle(server)
        used = {}
        for function, size in zip(ids, EXECUTIONS):
            path = f"/api/workspaces/{workspace}/functions/{function}/logs?"
            pages(server, path, size, used, filtered=f"{path}limit={PAGE}&code=500")
        compare(bench, "executions", used)
        used = {}
        for size, (other, _) in wide.items():
            path = f"/api/workspaces/{other}/logs?"
            pages(server, path, size, used, filtered=f"{path}limit={PAGE}&code=500")
        compare(bench, "executions of a workspace of functions", used)
        begin = time.perf_counter()
        client.Api(server.console)._send("DELETE", f"/api/workspaces/{workspace}")
        bench.report.add(f"deleting a workspace of {sum(EXECUTIONS):,} executions", time.perf_counter() - begin, "s", beside=f"{items(server, [workspace, *ids])} items are left")


def fill(server, api, size):
    workspace = api.create_workspace(f"Wide {size}")
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda start: create(server, workspace, range(start, size, 8)), range(8)))
    _, _, body = client.get(server.console, f"/api/workspaces/{workspace}/functions?fields=summary")
    return workspace, [function["id"] for function in json.loads(body)]


def multiply(seed, filled, calls):
    """An archive in which the one execution that was made stands for many, a second apart, every third of them failed."""
    with zipfile.ZipFile(seed) as archive, zipfile.ZipFile(filled, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as out:
        kept, one, entry = [], None, None
        for line in archive.read("items.ndjson").splitlines():
            keys = json.loads(line)["Item"]
            if keys["SK"]["S"].startswith("LOG#"):
                one = json.loads(line)
            elif keys["PK"]["S"].startswith("ACTIVITY#"):
                entry = json.loads(line)
            else:
                kept.append(line)
        listing = {"count": 0, "sha256": hashlib.sha256()}
        with out.open("items.ndjson", "w", force_zip64=True) as lines:
            for line in [*kept, *made(one, entry, calls)]:
                lines.write(line + b"\n")
                listing["sha256"].update(line + b"\n")
                listing["count"] += 1
        for entry in archive.infolist():
            if entry.filename not in ("items.ndjson", "manifest.json"):
                out.writestr(entry.filename, archive.read(entry))
        manifest = json.loads(archive.read("manifest.json"))
        manifest["items"] = {"count": listing["count"], "sha256": listing["sha256"].hexdigest()}
        out.writestr("manifest.json", json.dumps(manifest))


def made(one, entry, calls):
    """Executions of these functions so many seconds ago, each with its entry."""
    now = datetime.now(timezone(timedelta(hours=9)))
    text, noted = copy.deepcopy(one), copy.deepcopy(entry)
    for number, (workspace, function, index) in enumerate(calls):
        at = now - timedelta(seconds=index)
        # Version 7, as an execution is found by the time in its id.
        id = str(uuid.UUID(int=int(at.timestamp() * 1000) << 80 | 7 << 76 | 2 << 62 | number))
        item = text["Item"]
        item["PK"]["S"] = f"FN#{function}"
        item["SK"]["S"] = f"LOG#{at.isoformat(timespec='microseconds')}#{id}"
        item["id"]["S"], item["functionId"]["S"] = id, function
        item["timestamp"]["S"] = at.isoformat(timespec="milliseconds")
        item["statusCode"]["N"] = "500" if index % 3 == 2 else "200"
        yield json.dumps(text).encode()
        noted["Item"]["PK"]["S"] = f"ACTIVITY#{workspace}#000"
        noted["Item"]["SK"]["S"] = f"{int(at.timestamp()):012}#{function}"
        yield json.dumps(noted).encode()
