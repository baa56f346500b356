import _strptime
import json
import time
from datetime import datetime, timezone

from spin_sdk.http import IncomingHandler as BaseHandler, Request, Response

LOADED = time.time()
PERFORMANCE = time.perf_counter()


class IncomingHandler(BaseHandler):
    def handle_request(self, request):
        started = time.monotonic()
        time.sleep(0.01)
        answer = {
            "later": time.time() > LOADED,
            "slept": time.monotonic() - started >= 0.009,
            "performance": isinstance(time.perf_counter() - PERFORMANCE, float),
            "zone": [time.timezone, time.daylight, time.tzname],
            "epoch": time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(0)),
            "local": time.localtime(86400).tm_mday,
            "parsed": time.mktime(time.strptime("2026-11-20", "%Y-%m-%d")),
            "now": datetime.now(timezone.utc).year >= 2026,
            "process": time.process_time() >= 0,
            "info": time.get_clock_info("monotonic").monotonic,
        }
        try:
            time.thread_time()
        except Exception as error:
            answer["thread"] = f"{type(error).__name__}: {error}"
        return Response(200, {"content-type": "application/json"}, bytes(json.dumps(answer), "utf-8"))
