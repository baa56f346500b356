import importlib.resources
import json
import zoneinfo
from datetime import datetime, timezone

from spin_sdk.http import IncomingHandler as BaseHandler, Request, Response


class IncomingHandler(BaseHandler):
    def handle_request(self, request):
        answer = {}
        for name in ["UTC", "Asia/Seoul", "Europe/Berlin", "No/Where"]:
            try:
                zone = zoneinfo.ZoneInfo(name)
                answer[name] = str(datetime(2026, 7, 1, 12, tzinfo=timezone.utc).astimezone(zone))
            except Exception as error:
                answer[name] = f"{type(error).__name__}: {error}"
        answer["key"] = zoneinfo.TZPATH
        return Response(200, {"content-type": "application/json"}, bytes(json.dumps(answer), "utf-8"))
