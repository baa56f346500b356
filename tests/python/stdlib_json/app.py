import decimal
import json

from spin_sdk.http import IncomingHandler as BaseHandler, Request, Response


class Encoder(json.JSONEncoder):
    def default(self, value):
        return {"set": sorted(value)} if isinstance(value, set) else super().default(value)


class IncomingHandler(BaseHandler):
    def handle_request(self, request):
        answer = [json.dumps({"b": {1}, "a": float("nan")}, cls=Encoder, sort_keys=True), json.dumps("ü\u2028", ensure_ascii=False), json.dumps([1, {"a": []}], indent=2), json.dumps({1: 2, None: 3, True: 4}, separators=(",", ":")), str(json.loads("1.10", parse_float=decimal.Decimal)), json.loads('{"a": 1, "a": 2}', object_pairs_hook=list), json.loads('"\\ud83d\\ude00"')]
        for text in ["{", '{"a": }', "[1,]", "nul", '"\t"', ""]:
            try:
                answer.append(json.loads(text))
            except json.JSONDecodeError as error:
                answer.append(str(error))
        for value in [b"bytes", {(1, 2): 3}]:
            try:
                answer.append(json.dumps(value))
            except TypeError as error:
                answer.append(str(error))
        return Response(200, {"content-type": "application/json"}, bytes(json.dumps(answer), "utf-8"))
