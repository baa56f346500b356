import json

from spin_sdk.http import IncomingHandler as BaseHandler, Request, Response


class IncomingHandler(BaseHandler):
    def handle_request(self, request):
        import ast
        import dis
        import ipaddress
        import shlex
        import tokenize
        from email.mime.text import MIMEText
        answer = [ast.__name__, dis.__name__, str(ipaddress.ip_network("10.0.0.0/8").num_addresses), shlex.split("a 'b c'"), tokenize.__name__, MIMEText("x").get_content_type()]
        return Response(200, {"content-type": "application/json"}, bytes(json.dumps(answer), "utf-8"))
