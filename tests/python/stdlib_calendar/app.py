import calendar
import json
from datetime import date

from spin_sdk.http import IncomingHandler as BaseHandler, Request, Response


calendar.setfirstweekday(calendar.SUNDAY)


class IncomingHandler(BaseHandler):
    def handle_request(self, request: Request) -> Response:
        answer = {"month": calendar.month(2026, 2), "leap": [calendar.isleap(year) for year in (1900, 2000, 2024)], "weeks": calendar.monthcalendar(2026, 11)[0], "html": calendar.HTMLCalendar().formatmonth(2026, 2)[:80], "weekday": calendar.day_name[date(2026, 11, 20).weekday()], "range": calendar.monthrange(2024, 2), "timegm": calendar.timegm((1970, 1, 2, 0, 0, 0))}
        return Response(200, {"content-type": "application/json"}, bytes(json.dumps(answer), "utf-8"))
