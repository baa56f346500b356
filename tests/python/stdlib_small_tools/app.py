import argparse
import fnmatch
import graphlib
import ipaddress
import json
import mimetypes
import numbers
import pathlib
import sched
import shlex
import shutil
import stat
import time
import timeit

from spin_sdk.http import IncomingHandler as BaseHandler, Request, Response


class IncomingHandler(BaseHandler):
    def handle_request(self, request):
        parser = argparse.ArgumentParser(prog="tool")
        parser.add_argument("--count", type=int, default=1)
        parser.add_argument("names", nargs="*")
        parsed = parser.parse_args(["--count", "3", "a", "b"])
        scheduler = sched.scheduler(time.monotonic, lambda seconds: None)
        path = pathlib.PurePosixPath("/a/b.tar.gz")
        answer = [vars(parsed), fnmatch.filter(["a.py", "b.txt"], "*.py"), list(graphlib.TopologicalSorter({"b": {"a"}, "c": {"b"}}).static_order()), str(ipaddress.ip_address("::1")), mimetypes.guess_type("a.json"), isinstance(5, numbers.Integral), [path.suffixes, path.stem, str(path.parent)], shlex.quote("a b"), stat.filemode(0o100644), scheduler.empty(), timeit.timeit("1", number=1) >= 0]
        try:
            parser.parse_args(["--count", "x"])
        except SystemExit as error:
            answer.append(error.code)
        return Response(200, {"content-type": "application/json"}, bytes(json.dumps(answer), "utf-8"))
