from html import escape
from urllib.parse import parse_qs

from spin_sdk.http import IncomingHandler as BaseHandler, Request, Response

PAGE = """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>Feedback</title></head>
<body>
<h1>Feedback</h1>
{message}
<form method="post">
  <p><label>Name <input name="name" required></label></p>
  <p><label>Message <textarea name="message" required></textarea></label></p>
  <button>Send</button>
</form>
</body>
</html>
"""


def page(status: int, message: str) -> Response:
    return Response(
        status,
        {"content-type": "text/html; charset=utf-8"},
        PAGE.replace("{message}", message).encode(),
    )


class IncomingHandler(BaseHandler):
    def handle_request(self, request: Request) -> Response:
        if request.method != "POST":
            return page(200, "")
        fields = parse_qs((request.body or b"").decode(errors="replace"))
        name = fields.get("name", [""])[0].strip()
        message = fields.get("message", [""])[0].strip()
        if not name or not message:
            return page(400, "<p>Fill in both fields.</p>")
        print("feedback from", name)
        return page(200, f"<p>Thank you, {escape(name)}: {len(message)} characters received.</p>")
