"""A server of our own to measure: started on free ports, watched through /proc, stopped."""

import os
import re
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")
# What the server may know of its surroundings; its settings come from here alone, so that two runs are alike.
PASSED_ON = ("PATH", "HOME", "XDG_CACHE_HOME", "LANG", "BLUE_FAAS_VENV", "BLUE_FAAS_PIP_INDEX_URL")
START_SECONDS = 60
STOP_SECONDS = 40


class Server:
    """`console` and `functions` are (host, port)."""

    def __init__(self, program, site, data, settings=None):
        self.settings = settings or {}
        self.program, self.site, self.data = Path(program).resolve(), Path(site).resolve(), Path(data).resolve()
        self.log = self.data.parent / f"{self.data.name}.log"
        self.process = None

    def __enter__(self):
        return self.start()

    def __exit__(self, kind, *_):
        ended = self.process and self.process.poll()
        self.stop()
        if kind is not None:
            # The folder with the log is removed with the benchmark's end.
            state = "still ran" if ended is None else f"had ended with {ended}"
            print(f"The server {state}; its log ends:\n{self.log_tail()}", file=sys.stderr)

    def start(self):
        self.data.mkdir(parents=True, exist_ok=True)
        settings = {
            "BLUE_FAAS_ADDR": "127.0.0.1:0",
            "BLUE_FAAS_FUNCTIONS_ADDR": "127.0.0.1:0",
            "BLUE_FAAS_DATA_DIR": str(self.data),
            "BLUE_FAAS_SITE": str(self.site),
        }
        environment = {name: os.environ[name] for name in PASSED_ON if name in os.environ} | settings | self.settings
        self.started = time.perf_counter()
        with open(self.log, "ab") as log:
            # In the data's folder, since a .env file of the working directory is read.
            self.process = subprocess.Popen(
                [self.program], cwd=self.data.parent, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log
            )
        told = self._announcement()
        self.console, self.functions = (self._address(told, name) for name in ("console", "functions"))
        return self

    def _announcement(self):
        told, out = b"", self.process.stdout
        while told.count(b"http://") < 2 or not told.endswith(b"\n"):
            left = self.started + START_SECONDS - time.perf_counter()
            ready = left > 0 and select.select([out], [], [], left)[0]
            piece = os.read(out.fileno(), 4096) if ready else b""
            if not piece:
                self.stop()
                raise RuntimeError(f"{self.program} did not start:\n{self.log_tail()}")
            told += piece
        return told.decode()

    @staticmethod
    def _address(told, name):
        host, port = re.search(rf"{name}\s+http://(\S+):(\d+)", told).groups()
        return host, int(port)

    def stop(self):
        """SIGTERM and its grace; the seconds it took."""
        begin = time.perf_counter()
        if self.process is not None:
            if self.process.poll() is None:
                self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
            self.process.stdout.close()
            self.process = None
        return time.perf_counter() - begin

    def log_tail(self):
        return self.log.read_text(errors="replace")[-2000:] if self.log.exists() else ""

    def _stat(self, process=None):
        # The name in parentheses may hold spaces; fields are counted after it.
        text = Path(f"/proc/{process or self.process.pid}/stat").read_text()
        return text[text.rindex(")") + 2 :].split()

    def processes(self):
        """The server and the workers that functions run in."""
        own = self.process.pid
        children = Path(f"/proc/{own}/task/{own}/children")
        tasks = (Path(f"/proc/{own}/task") / task / "children" for task in os.listdir(f"/proc/{own}/task"))
        found = {int(child) for task in (children, *tasks) for child in task.read_text().split()}
        command = lambda process: Path(f"/proc/{process}/cmdline").read_bytes().split(b"\0")
        return [own, *(child for child in found if command(child)[1:2] == [b"worker"])]

    def cpu_seconds(self):
        """User and system time of all threads of the server and its workers, without other child processes."""
        fields = [self._stat(process) for process in self.processes()]
        return sum(int(of[11]) + int(of[12]) for of in fields) / TICKS

    def child_cpu_seconds(self):
        """Of child processes that have ended: builds and compilations."""
        fields = self._stat()
        return (int(fields[13]) + int(fields[14])) / TICKS

    def memory(self):
        """Megabytes of the server and its workers: in proportion (what they share counts once), resident (in each), and in no file."""
        rollups = [Path(f"/proc/{process}/smaps_rollup").read_text() for process in self.processes()]
        read = lambda name: sum(int(re.search(rf"^{name}:\s+(\d+) kB", one, re.M)[1]) for one in rollups) / 1024
        return read("Pss"), read("Rss"), read("Anonymous")

    def open_files(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def disk_megabytes(self):
        total = 0
        for folder, _, names in os.walk(self.data):
            for name in names:
                try:
                    total += os.stat(os.path.join(folder, name), follow_symlinks=False).st_blocks * 512
                except FileNotFoundError:
                    pass  # removed meanwhile
        return total / 1e6
