"""The Python program that every function starts from.

A stock build of this module is the base: interpreter, SDK and standard library in one memory image. A request for `/init`
brings one function's files into a fresh instance and imports them; its memory, taken then, is the function.
"""

import abc, array, asyncio, base64, calendar, cmath, codecs, collections, contextlib, copy, csv, dataclasses, datetime, decimal  # noqa: E401
import difflib, encodings.ascii, encodings.idna, encodings.latin_1, encodings.punycode, enum, fractions, functools, gc, hashlib  # noqa: E401
import heapq, hmac, html, html.parser, importlib.util, inspect, io, itertools, json, linecache, locale, logging, marshal, math  # noqa: E401
import operator, os, pathlib, pkgutil, pprint, random, re, secrets, statistics, string, struct, sys, tempfile, textwrap, time  # noqa: E401
import traceback, types, typing, unicodedata, urllib.parse, uuid  # noqa: E401
from importlib.machinery import FileFinder, ModuleSpec, PathFinder, SourceFileLoader

import spin_sdk
from spin_sdk import http
from spin_sdk.http import Response
from spin_sdk.wit import exports
from wit_world.imports import environment

SOURCE, PACKAGES = "/0/", "/1/"
# Bytes of the heap that functions take before their memory has to grow.
ROOM = 4 * 1024 * 1024
# How often code runs before the interpreter has made up its mind about it.
REHEARSALS = 20
# More than there are free pieces of sixteen bytes between the base's objects.
SMALL_HOLES = 12_000
# Never needed by a function, or of no use without a screen, files or processes.
LEFT_OUT = {
    "test", "idlelib", "tkinter", "turtledemo", "turtle", "lib2to3", "ensurepip", "pydoc_data", "curses", "msilib", "venv",
}


def _library(root):
    """The rest of the standard library as compiled code: at request time there are no files to import it from."""
    found = {}
    for folder, folders, files in os.walk(root):
        inside = folder[len(root):].strip("/")
        if inside.split("/")[0] in LEFT_OUT or "__pycache__" in inside or "/test" in folder or "config-" in inside:
            folders[:] = []
            continue
        for file in files:
            if not file.endswith(".py"):
                continue
            parts = (inside.split("/") if inside else []) + [file[:-3]]
            package = parts[-1] == "__init__"
            name = ".".join(parts[:-1] if package else parts)
            if not name or name.split(".")[0] in LEFT_OUT or name in sys.modules:
                continue
            path = os.path.join(folder, file)
            try:
                with open(path, "rb") as source:
                    code = compile(source.read(), path, "exec", dont_inherit=True, optimize=0)
            except (SyntaxError, ValueError, OSError):
                continue
            found[name] = (path, package, marshal.dumps(code))
    return found


def _import_sdk():
    """All of the SDK that this world has: a function may import any of it, and its files are gone by then."""
    for module in pkgutil.walk_packages(spin_sdk.__path__, "spin_sdk.", onerror=lambda name: None):
        try:
            importlib.import_module(module.name)
        except ImportError:
            continue


class _LibraryFinder:
    """Finds what `_library` kept."""

    @staticmethod
    def find_spec(name, path=None, target=None):
        entry = _LIBRARY.get(name)
        if entry is None:
            return None
        spec = ModuleSpec(name, _LibraryFinder, origin=entry[0], is_package=entry[1])
        spec.has_location = True
        return spec

    @staticmethod
    def create_module(spec):
        return None

    @staticmethod
    def exec_module(module):
        exec(marshal.loads(_LIBRARY[module.__spec__.name][2]), module.__dict__)


class _FileLoader(SourceFileLoader):
    """Loads a function's own files from memory, as the usual loader does from disk."""

    def get_data(self, path):
        try:
            return _FILES[path]
        except KeyError:
            raise FileNotFoundError(2, "No such file or directory", path) from None

    def get_code(self, fullname):
        path = self.get_filename(fullname)
        return compile(self.get_data(path), path, "exec", dont_inherit=True)

    def get_source(self, fullname):
        return importlib.util.decode_source(self.get_data(self.get_filename(fullname)))


class _FileFinder:
    """Finds a function's own modules, its packages after them."""

    @staticmethod
    def find_spec(name, path=None, target=None):
        inside = name.replace(".", "/")
        for root in (SOURCE, PACKAGES):
            for file, package in ((f"{inside}/__init__.py", True), (f"{inside}.py", False)):
                origin = root + file
                if origin in _FILES:
                    loader = _FileLoader(name, origin)
                    folder = [origin.rpartition("/")[0]] if package else None
                    return importlib.util.spec_from_file_location(
                        name, origin, loader=loader, submodule_search_locations=folder
                    )
            if root + inside in _FOLDERS:
                # A folder without __init__.py.
                spec = ModuleSpec(name, None, is_package=True)
                spec.submodule_search_locations = [root + inside]
                return spec
        return None


_FILES = {}
_FOLDERS = set()
_import_sdk()
_LIBRARY = _library("/python")
_function = None
_is_fresh = True


def _receive(body):
    """`{"entry": module, "files": [[path, length], …]}`, a line break, then the contents one after the other."""
    end = body.index(b"\n")
    head = json.loads(body[:end])
    rest = memoryview(body)[end + 1:]
    at = 0
    for path, length in head["files"]:
        _FILES[path] = bytes(rest[at:at + length])
        at += length
        folder = path.rpartition("/")[0]
        while folder.count("/") > 1:
            _FOLDERS.add(folder)
            folder = folder.rpartition("/")[0]
    return head["entry"]


def _shadowed():
    """A module of the function's that a stock build would import and this one does not: its name is taken."""
    for path in _FILES:
        name = path.split("/")[2].removesuffix(".py")
        if name in sys.modules or name in sys.stdlib_module_names:
            return name
    return None


def _forget_sources():
    """Of packages that are loaded: they are larger than what was made of them."""
    for module in list(sys.modules.values()):
        path = getattr(module, "__file__", None) or ""
        if path.startswith(PACKAGES) and path.endswith(".py"):
            _FILES.pop(path, None)


def _wipe(end):
    """Clears what is free below an address. What lies there is of no use to anyone, and would be part of the function's image."""
    gc.collect()
    gc.freeze()
    kept = []
    for size in (65536, 8192, 1024, 128):
        while True:
            item = bytes(size)
            if id(item) >= end:
                break
            kept.append(item)


class _Init(http.IncomingHandler):
    def handle_request(self, request):
        global _function
        try:
            entry = _receive(request.body)
            shadowed = _shadowed()
            if shadowed is not None:
                return Response(409, {}, f"the module name {shadowed} is the standard library's".encode())
            os.environ.clear()
            sys.argv[:] = []
            module = importlib.import_module(entry)
            handler = getattr(module, "IncomingHandler", None)
            if handler is None:
                raise AttributeError(f"module '{entry}' has no attribute 'IncomingHandler'")
            _function = handler()
            _forget_sources()
            return Response(200, {}, b"")
        except BaseException as error:
            inner = error.__traceback__
            while inner is not None and inner.tb_frame.f_code.co_filename not in _FILES:
                inner = inner.tb_next
            text = traceback.format_exception(type(error), error, inner)
            if isinstance(error, BaseExceptionGroup):
                # Drawn as a tree, it has no line that says by itself what went wrong and where.
                text += ["Traceback (most recent call last):\n", *traceback.format_tb(inner), *traceback.format_exception_only(error)]
            return Response(422, {}, "".join(text).encode("utf-8", "backslashreplace"))
        finally:
            for stream in (sys.stdout, sys.stderr):
                try:
                    stream.flush()
                except Exception:
                    pass


def _refresh():
    """What must differ from one request to the next although both begin with the same memory."""
    random.seed()
    os.environ.clear()
    os.environ.update(environment.get_environment())


def _show(kind, error, trace):
    """Tracebacks begin in the function, not here."""
    while trace is not None and trace.tb_frame.f_code.co_filename == __file__:
        trace = trace.tb_next
    sys.stderr.write("".join(traceback.format_exception(kind, error, trace)))
    sys.stderr.flush()


class _Warm(http.IncomingHandler):
    """Takes the paths that most requests take, so that what they allocate once is part of the base."""

    def handle_request(self, request):
        _refresh()
        request.uri, request.method, request.body, dict(request.headers)
        body = json.dumps({"a": [1, "x", None, 1.5], "b": json.loads('{"c": [true]}')})
        return Response(200, {"content-type": "text/plain"}, bytes(body, "utf-8"))


_SAMPLE = """
import json
import os
from dataclasses import dataclass
from spin_sdk.http import IncomingHandler as BaseHandler, Request, Response

LIMITS = {"a": 1, "b": [1, 2.5, None]}


@dataclass
class Item:
    name: str
    size: int = 3


def total(*items: Item) -> int:
    return sum(item.size for item in items)


class IncomingHandler(BaseHandler):
    def handle_request(self, request: Request) -> Response:
        try:
            body = json.dumps({"path": request.uri, "total": total(Item("a"))})
        except ValueError as error:
            return Response(400, {}, bytes(f"{error}", "utf-8"))
        return Response(200, {"content-type": "application/json"}, bytes(body, "utf-8"))
"""


def _rehearse():
    """Imports a function and forgets it: code that has run is not written to any more when it runs again."""
    name = "blue_faas_sample"
    path = f"{SOURCE}{name}.py"
    _FILES[path] = _SAMPLE.encode()
    module = importlib.import_module(name)
    module.IncomingHandler()
    del sys.modules[name], _FILES[path]


def _fill_holes():
    """Occupies what is free between the base's objects, so that a function's own lie together, in few pages."""
    gc.collect()
    gc.disable()
    header = sys.getsizeof(b"")
    end = id(bytes(ROOM))
    sizes = [1 << power for power in range(20, 12, -1)] + list(range(4096, header, -8))
    for size in sizes:
        while True:
            item = bytes(size - header)
            if id(item) >= end:
                break
            _KEPT.append(item)
    # The smallest ones, which only the buffers of such lists fit into.
    _KEPT.append([[None] for _ in range(SMALL_HOLES)])
    gc.enable()
    gc.freeze()


class _Settle(http.IncomingHandler):
    """The base is complete. Answers the addresses of its objects, whose reference counts nobody has to keep any longer."""

    def handle_request(self, request):
        for _ in range(REHEARSALS):
            _rehearse()
        sys.path.clear()
        sys.path_importer_cache.clear()
        sys.meta_path[:] = [finder for finder in sys.meta_path if finder is not PathFinder]
        gc.collect()
        gc.freeze()
        # Only there does a count make an object immortal.
        return Response(200, {}, _all_objects() if sys.version_info[:2] == (3, 12) else b"")


_KEPT = []


def _all_objects():
    seen = {}
    found = gc.get_objects()
    while found:
        new = []
        for item in found:
            if id(item) not in seen:
                seen[id(item)] = item
                new.append(item)
        found = []
        for start in range(0, len(new), 1000):
            found += gc.get_referents(*new[start:start + 1000])
    addresses = array.array("I", seen.keys()).tobytes()
    _KEPT.append(tuple(seen.values()))
    return addresses


_own = {"/init": _Init(), "/settle": _Settle()}
_warm = _Warm()


class _Handle:
    """What handles a request, looked up when one comes: a function is called without a call of the base's under it."""

    def __get__(self, instance, owner=None):
        global _is_fresh
        if _function is None:
            return _handle_own
        if _is_fresh:
            _is_fresh = False
            _refresh()
        return _function.handle


def _handle_own(request, response_out):
    path = request.path_with_query()
    if path == "/fill":
        # Before this request takes anything: what it takes would be a hole again afterwards.
        _fill_holes()
    if path == "/init":
        begin = id(bytes(ROOM))
        _own[path].handle(request, response_out)
        size = sum(map(len, _FILES.values()))
        return _wipe(begin + 3 * size + ROOM // 8)
    return _own.get(path, _warm).handle(request, response_out)


class IncomingHandler(exports.IncomingHandler):
    handle = _Handle()


sys.meta_path += [_FileFinder, _LibraryFinder]
sys.excepthook = _show
gc.collect()
gc.freeze()
