import concurrent.futures.thread
import json
import queue
import threading

from spin_sdk.http import IncomingHandler as BaseHandler, Request, Response

LOCK = threading.RLock()
LOCAL = threading.local()
LOCAL.value = "loaded"


class IncomingHandler(BaseHandler):
    def handle_request(self, request):
        answer = {"local": getattr(LOCAL, "value", None), "main": threading.current_thread().name, "same": threading.current_thread() is threading.main_thread(), "active": threading.active_count()}
        with LOCK, LOCK:
            answer["lock"] = repr(LOCK).startswith("<locked")
        items = queue.Queue()
        items.put(1)
        answer["queue"] = [items.get(), items.empty()]
        event = threading.Event()
        answer["event"] = event.wait(0)
        for name, action in {
            "thread": lambda: threading.Thread(target=print, args=("in a thread",)).start(),
            "pool": lambda: concurrent.futures.ThreadPoolExecutor(1).submit(int, "5").result(),
            "timer": lambda: threading.Timer(0, print).start(),
        }.items():
            try:
                answer[name] = repr(action())
            except BaseException as error:
                answer[name] = f"{type(error).__name__}: {error}"
        return Response(200, {"content-type": "application/json"}, bytes(json.dumps(answer), "utf-8"))
