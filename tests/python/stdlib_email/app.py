import email
import email.generator
import email.parser
import email.policy
import json
from email.message import EmailMessage
from email.utils import format_datetime, formataddr, parseaddr, parsedate_to_datetime

from spin_sdk.http import IncomingHandler as BaseHandler, Request, Response


class IncomingHandler(BaseHandler):
    def handle_request(self, request):
        message = EmailMessage()
        message["Subject"] = "Größe"
        message["To"] = "a@example.com"
        message.set_content("Hällo\n")
        parsed = email.message_from_string("From: A <a@b.c>\nSubject: =?utf-8?b?w5w=?=\n\nbody", policy=email.policy.default)
        moment = parsedate_to_datetime("Fri, 20 Nov 2026 10:00:00 +0900")
        answer = {"text": message.as_string(), "subject": parsed["subject"], "body": parsed.get_content(), "address": [formataddr(("Ü", "u@x.y")), parseaddr("B <b@c.d>")], "date": [moment.isoformat(), format_datetime(moment)]}
        return Response(200, {"content-type": "application/json"}, bytes(json.dumps(answer), "utf-8"))
