import base64
import binascii
import json
import quopri

from spin_sdk.http import IncomingHandler as BaseHandler, Request, Response


class IncomingHandler(BaseHandler):
    def handle_request(self, request):
        data = bytes(range(0, 256, 7))
        answer = {name: getattr(base64, name)(data).decode() for name in ["b64encode", "b32encode", "b16encode", "b85encode", "a85encode", "b32hexencode", "encodebytes"]}
        answer["quoted"] = quopri.encodestring("größe = 5".encode()).decode()
        for name, text in {"padding": "abc", "letters": "a$b="}.items():
            try:
                answer[name] = base64.b64decode(text, validate=True).hex()
            except binascii.Error as error:
                answer[name] = str(error)
        return Response(200, {"content-type": "application/json"}, bytes(json.dumps(answer), "utf-8"))
