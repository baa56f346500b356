import json
from datetime import date, datetime, time, timedelta, timezone

from spin_sdk.http import IncomingHandler as BaseHandler, Request, Response

LOADED = datetime.now(timezone.utc)


class IncomingHandler(BaseHandler):
    def handle_request(self, request):
        now = datetime.now(timezone.utc)
        answer = {"later": now > LOADED, "naive": datetime.now().tzinfo, "same": abs(datetime.now() - datetime.utcnow()) < timedelta(seconds=5), "parsed": str(datetime.fromisoformat("2026-11-20T10:00:00.5+09:00")), "week": str(date.fromisocalendar(2026, 53, 7)), "delta": str(timedelta(days=-1, hours=5)), "total": timedelta(weeks=1, milliseconds=5).total_seconds(), "time": str(time(5, 6, fold=1)), "stamp": str(datetime.fromtimestamp(1e9, timezone.utc)), "max": str(datetime.max), "format": datetime(2026, 1, 2).strftime("%a %b %-d %U %y %p %c")}
        try:
            date(2026, 2, 30)
        except ValueError as error:
            answer["error"] = str(error)
        return Response(200, {"content-type": "application/json"}, bytes(json.dumps(answer), "utf-8"))
