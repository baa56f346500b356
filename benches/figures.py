"""The figures, each a function that measures and reports."""

import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import client
import cloud
import comparison
import first_load
import load
import scale
import sources
from report import Report
from server import Server

NAMES = ("memory", "first-load", "workspaces", "functions", "deploy", "rollback", "hello", "reuse", "draft", "logs", "page", "start", "many", "cloud")
# These need no build.
QUICK = NAMES[:4]
# These take minutes.
LONG = ("scale",)
ROLLBACKS = 20
# Longer than they take together, on a slow machine as well.
ROLLBACK_SECONDS = 8


@dataclass
class Bench:
    """How much is measured, and where."""

    program: str
    site: str
    folder: str
    names: frozenset
    seconds: float = 1.5
    """Of one sample of a read."""
    rounds: int = 3
    calls: int = 1000
    """Of one sample of a function."""
    idle_seconds: float = 5
    distinct: int = 2
    """Artifacts behind the 20 functions of `start`."""
    many: int = 200
    report: Report = field(default_factory=Report)

    def wants(self, *names):
        return any(name in self.names for name in names)

    def server(self, name):
        return Server(self.program, self.site, f"{self.folder}/{name}")


def measure(bench):
    if bench.wants(*QUICK):
        measure_reads(bench)
    if bench.wants("deploy", "rollback", "hello", "reuse", "draft", "logs", "page", "start"):
        measure_functions(bench)
    if bench.wants("many"):
        many(bench)
    if bench.wants("cloud"):
        cloud.measure(bench)
    if bench.wants("scale"):
        scale.measure(bench)
    return bench.report


def measure_reads(bench):
    with bench.server("reads") as server:
        if bench.wants("memory"):
            memory(bench, server, "idle memory (PSS), nothing deployed", at_most=60)
        if bench.wants("first-load"):
            first_load.measure(bench.report, server.console)
        api = client.Api(server.console)
        if bench.wants("workspaces", "functions"):
            workspaces = [api.create_workspace(f"Workspace {number:02}") for number in range(20)]
        if bench.wants("workspaces"):
            cpu(bench, server, "GET /api/workspaces, 20", "/api/workspaces", at_most=70)
        if bench.wants("functions"):
            for number in range(50):
                api.create_function(workspaces[0], f"function-{number:02}", sources.of_size(4096, number))
            path = f"/api/workspaces/{workspaces[0]}/functions"
            cpu(bench, server, "functions, 50 × 4 KB code", path, at_most=300)
            cpu(bench, server, "functions, 50, fields=summary", f"{path}?fields=summary", at_most=120)


def measure_functions(bench):
    # Deploy is pressed as soon as the server is there: with nothing compiled before, and nobody to have waited for.
    with bench.server("functions") as server:
        api = client.Api(server.console)
        workspace = api.create_workspace("Payments")
        hello = deploys(bench, server, api, workspace)
        if bench.wants("rollback"):
            rollback(bench, server, api, workspace)
        if bench.wants("hello", "logs", "page"):
            calls(bench, server, api, hello)
        if bench.wants("hello"):
            comparison.measure(bench.report, bench.folder, bench.seconds)
        if bench.wants("reuse"):
            reuse(bench, server, api, hello)
        if bench.wants("draft"):
            drafts(bench, api, hello)
        if bench.wants("logs"):
            path = f"/api/workspaces/{workspace}/functions/{hello.function}/logs?limit=100"
            cpu(bench, server, "logs, 100", path, at_most=300)
            cpu(bench, server, "logs of the workspace, 100", f"/api/workspaces/{workspace}/logs?limit=100")
        if bench.wants("page"):
            cpu(bench, server, "workspace page rendered", f"/workspaces/{workspace}", at_most=600)
        if bench.wants("start"):
            twenty = deploy_twenty(bench, server, api)
    if bench.wants("start"):
        start_with(bench, twenty)


def deploys(bench, server, api, workspace):
    """Presses Deploy for a source nobody built, for a second one, and for that one again."""
    pressed = []
    second = sources.hello("Hello again from Blue FaaS!")
    steps = [("first on a machine", sources.hello(), 14), ("later", second, 1), ("the same source again", second, 0.5)]
    if not bench.wants("deploy"):
        steps = steps[:1]
    for number, (name, (source, answer), reach) in enumerate(steps):
        function = api.create_function(workspace, f"hello-{number}", source)
        own, children = server.cpu_seconds(), server.child_cpu_seconds()
        done = client.deploy(api, server.functions, workspace, function, f"hello-{number}", source, answer)
        used = f"CPU {server.child_cpu_seconds() - children:.1f} s in child processes, {server.cpu_seconds() - own:.1f} s in the server"
        if bench.wants("deploy"):
            bench.report.add(f"Deploy pressed → URL answers, {name}", done.seconds, "s", at_most=reach, beside=f"{done.stages}; {used}")
        pressed.append(done)
    return pressed[0]


def rollback(bench, server, api, workspace):
    """Lets two versions take turns while their URL is called: how long each turn takes, and that no call fails."""
    made = [sources.hello("Hello from the first version!"), sources.hello("Hello from the second version!")]
    function = api.create_function(workspace, "rollback", made[0][0])
    for source, answer in made:
        done = client.deploy(api, server.functions, workspace, function, "rollback", source, answer)
    used, name = [], "rollback, redeploy asked for → answered"
    with ThreadPoolExecutor(1) as pool:
        answers = [answer for _, answer in made]
        load_of = lambda: load.run(server.functions, done.deployment_path, connections=2, seconds=ROLLBACK_SECONDS, allowed=answers)
        calling = pool.submit(load_of)
        time.sleep(ROLLBACK_SECONDS / 4)
        for _ in range(ROLLBACKS):
            before = api.get(f"/api/v1/functions/{function}/deployments")[1]
            begin = time.perf_counter()
            api.post(f"/api/v1/deployments/{before['id']}/redeploy")
            used.append((time.perf_counter() - begin) * 1000)
            served = client.get(server.functions, done.deployment_path)[1]["x-blue-version"]
            if served != str(before["version"]):
                bench.report.fail(f"{name}: version {served} answers, not {before['version']}")
        if calling.done():
            bench.report.fail(f"{name}: the calls ended before the last redeployment")
        result = calling.result()
    bench.report.check_load(name, result)
    beside = f"median of {len(used)}, slowest {max(used):.1f} ms; {result.count} calls meanwhile, {sum(result.errors.values())} failed"
    bench.report.add(name, statistics.median(used), "ms", at_most=50, beside=beside)


def calls(bench, server, api, hello):
    """Calls by URL, and whether each of them was recorded and counted."""
    expected = [b"Hello from Blue FaaS!"]
    for name, connections, count in (("one after another", 1, bench.calls), ("c=8", 8, 2 * bench.calls)):
        load.run(server.functions, hello.deployment_path, connections=connections, count=count // 5, allowed=expected)
        before = settled(api, hello)
        used, results = [], []
        for _ in range(bench.rounds):
            begin = server.cpu_seconds()
            result = load.run(server.functions, hello.deployment_path, connections=connections, count=count, allowed=expected)
            # Executions are written in groups after their answers; that is part of a call's cost.
            time.sleep(0.3)
            used.append((server.cpu_seconds() - begin) / count * 1000)
            results.append(result)
            bench.report.check_load(f"hello, {name}", result)
        after, made = settled(api, hello), count * bench.rounds
        if after != (before[0] + made, before[1] + made):
            bench.report.fail(f"hello, {name}: {made} calls were made, but counted {after[0] - before[0]} and listed {after[1] - before[1]}")
        if not bench.wants("hello"):
            continue
        by_wrk = load.wrk(server.functions, hello.deployment_path, connections, bench.seconds * 2) if connections > 1 else None
        rate = by_wrk or statistics.median(result.rate for result in results)
        middle = results[len(results) // 2]
        beside = f"p50 {middle.p50_ms:.1f} ms, p99 {middle.p99_ms:.1f} ms; {made} calls = {after[0] - before[0]} counted = {after[1] - before[1]} listed"
        bench.report.add(f"hello by its URL, {name}, CPU a call", statistics.median(used), "ms", at_most=1.6, beside=beside)
        bench.report.add(f"hello by its URL, {name}, rate", rate, "req/s", at_least=1_200 if connections == 8 else None)


def reuse(bench, server, api, hello):
    """The same function while its instances stay for further calls."""
    function = f"/api/workspaces/{hello.workspace}/functions/{hello.function}"
    api.patch(function, {"instanceReuse": {"perSlot": {"maxRequests": 1_000_000, "maxAge": 3_600}}})
    path, name, count = hello.deployment_path, "hello, instances kept, c=8", 10 * bench.calls
    load.run(server.functions, path, connections=8, count=count // 5)
    rate = load.wrk(server.functions, path, 8, bench.seconds * 2)
    result = load.run(server.functions, path, connections=8, count=count)
    bench.report.check_load(name, result)
    rate = rate or result.rate
    begin = server.cpu_seconds()
    result = load.run(server.functions, path, connections=8, count=count)
    time.sleep(0.3)
    used = (server.cpu_seconds() - begin) / count * 1000
    api.patch(function, {"instanceReuse": "none"})
    bench.report.add(f"{name}, rate", rate, "req/s", at_least=3_500, beside=f"CPU {used:.2f} ms a call, p99 {result.p99_ms:.1f} ms")


def drafts(bench, api, hello):
    """Unsaved sources, from the request to the answer of each."""
    used = []
    for number in range(11):
        source, answer = sources.hello(f"Draft {number}")
        begin = time.perf_counter()
        told = api.post(f"/api/workspaces/{hello.workspace}/functions/{hello.function}/draft", {"code": client.encoded(source), "request": {"method": "GET", "path": "/"}})
        used.append(time.perf_counter() - begin)
        if told["responseBody"] != answer.decode():
            bench.report.fail(f"a draft answered {told}")
    name = "draft, request → answer"
    bench.report.add(name, statistics.median(used[1:]), "s", at_most=0.4, beside=f"median of 10; the first one {used[0]:.2f} s")


def many(bench):
    """Functions that all differ: what they take on disk, and in memory after each was called."""
    with bench.server("many") as server:
        api = client.Api(server.console)
        workspace = api.create_workspace("Many")
        disk = None
        for number in range(bench.many):
            source, answer = sources.hello(f"Hello from number {number}")
            function = api.create_function(workspace, f"function-{number:03}", source)
            client.deploy(api, server.functions, workspace, function, f"many-{number:03}", source, answer)
            if number == 0:
                disk = server.disk_megabytes()
        time.sleep(bench.idle_seconds)
        proportional, resident, anonymous = server.memory()
        name = f"{bench.many} functions deployed, each called"
        each = (server.disk_megabytes() - disk) / max(bench.many - 1, 1)
        bench.report.add(f"{name}: disk", server.disk_megabytes(), "MB", at_most=1_000, beside=f"{each:.2f} MB for each after the first")
        bench.report.add(f"{name}: RSS", resident, "MB", at_most=400, beside=f"shared pages in each process; PSS {proportional:.0f} MB, {anonymous:.0f} MB anonymous")


def settled(api, hello):
    """Calls counted and executions listed, once neither moves."""
    last = None
    for _ in range(50):
        now = (api.counted(hello.workspace, hello.function), api.listed(hello.workspace, hello.function))
        if now == last:
            return now
        last = now
        time.sleep(0.3)
    return last


def cpu(bench, server, name, path, at_most=None):
    """CPU of the server for one read, in microseconds; beside it the rate at 8 connections."""
    bench.report.check_load(name, load.run(server.console, path, count=100))
    used, results = [], []
    for _ in range(bench.rounds):
        begin = server.cpu_seconds()
        result = load.run(server.console, path, seconds=bench.seconds)
        used.append((server.cpu_seconds() - begin) / max(result.count, 1) * 1e6)
        results.append(result)
        bench.report.check_load(name, result)
    middle = results[len(results) // 2]
    rate = load.wrk(server.console, path, 8, bench.seconds)
    beside = f"p50 {middle.p50_ms:.2f} ms, p99 {middle.p99_ms:.2f} ms" + (f"; {rate:.0f} req/s at c=8" if rate else "")
    bench.report.add(f"{name}, CPU a request", statistics.median(used), "µs", at_most=at_most, beside=beside)


def memory(bench, server, name, at_most=None):
    time.sleep(bench.idle_seconds)
    proportional, resident, anonymous = server.memory()
    beside = f"RSS {resident:.0f} MB, shared pages in each process; {anonymous:.0f} MB anonymous; {server.open_files()} open files"
    bench.report.add(name, proportional, "MB", at_most=at_most, beside=beside)


def deploy_twenty(bench, server, api):
    """Functions and apps of their own; a few artifacts behind them, since each costs a build of seconds."""
    made = [sources.hello(f"Hello from number {number}") for number in range(bench.distinct)]
    workspace = api.create_workspace("Twenty")
    twenty = []
    for number in range(20):
        source, answer = made[number % bench.distinct]
        function = api.create_function(workspace, f"function-{number:02}", source)
        app = f"twenty-{number:02}"
        twenty.append((client.deploy(api, server.functions, workspace, function, app, source, answer), answer))
    return twenty


def start_with(bench, twenty):
    with bench.server("functions") as server:
        if bench.wants("memory"):
            memory(bench, server, "idle memory (PSS), 20 deployed, none called")
    with bench.server("functions") as server:
        listening = time.perf_counter() - server.started
        for deployed, answer in twenty:
            client.wait_for(server.functions, deployed.deployment_path, answer)
        seconds = time.perf_counter() - server.started
        beside = f"listening after {listening:.2f} s; {bench.distinct} artifacts"
        bench.report.add("start with 20 deployed functions → all answer", seconds, "s", at_most=0.5, beside=beside)
        if bench.wants("memory"):
            memory(bench, server, "idle memory (PSS), 20 deployed, each called")
        stopping = server.stop()
    bench.report.add("SIGTERM → ended", stopping, "s")
