import json
import _strptime  # noqa: F401  # A whole build finds only what is imported by name.
from datetime import date, datetime, timedelta, timezone

from spin_sdk.http import IncomingHandler as BaseHandler, Request, Response

SEOUL = timezone(timedelta(hours=9), "KST")


class IncomingHandler(BaseHandler):
    def handle_request(self, request: Request) -> Response:
        moment = datetime(2026, 2, 28, 23, 59, 59, 123456, tzinfo=SEOUL)
        return Response(200, {"content-type": "application/json"}, bytes(json.dumps({"iso": moment.isoformat(), "utc": str(moment.astimezone(timezone.utc)), "next": str(moment + timedelta(days=1, microseconds=1)), "text": moment.strftime("%A %d %B %Y %H:%M %Z %j"), "parsed": datetime.strptime("2026-11-20 14:00", "%Y-%m-%d %H:%M").isoformat(), "week": date(2026, 12, 31).isocalendar(), "leap": str(date(2024, 2, 29).replace(year=2028)), "stamp": moment.timestamp()}), "utf-8"))
