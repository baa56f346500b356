import json
import time
from datetime import datetime, timezone

from spin_sdk.http import IncomingHandler as BaseHandler, Request, Response


def run(started: datetime) -> dict[str, int]:
    """The job itself. It may run twice for the same hour: make it safe to repeat."""
    hour = started.strftime("%Y-%m-%dT%H")
    print("working on", hour)
    handled = sum(1 for number in range(1_000) if number % 7 == 0)
    return {"handled": handled}


class IncomingHandler(BaseHandler):
    """Called by a timer, as in: */5 * * * * curl -fsS -X POST <address>"""

    def handle_request(self, request: Request) -> Response:
        if request.method != "POST":
            return Response(405, {"allow": "POST", "content-type": "text/plain"}, b"Start the job with POST.")
        started = datetime.now(timezone.utc)
        clock = time.monotonic()
        result = run(started)
        report = {
            "started": started.isoformat(),
            "milliseconds": round((time.monotonic() - clock) * 1000, 1),
            **result,
        }
        print("done:", json.dumps(report))
        return Response(200, {"content-type": "application/json"}, json.dumps(report).encode())
