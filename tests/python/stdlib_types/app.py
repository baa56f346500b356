import json
import types

from spin_sdk.http import IncomingHandler as BaseHandler, Request, Response

SPACE = types.SimpleNamespace(a=1)
VIEW = types.MappingProxyType({"a": 1})


class IncomingHandler(BaseHandler):
    def handle_request(self, request):
        SPACE.b = 2
        Made = types.new_class("Made", (dict,), exec_body=lambda space: space.update(x=5))
        function = types.FunctionType((lambda: 7).__code__, {})
        answer = [repr(SPACE), dict(VIEW), Made.x, function(), types.MethodType(len, "abc")(), isinstance(int | str, types.UnionType), types.ModuleType("own", "doc").__doc__, types.coroutine(lambda: None).__name__]
        try:
            VIEW["b"] = 2
        except TypeError as error:
            answer.append(str(error))
        return Response(200, {"content-type": "application/json"}, bytes(json.dumps(answer), "utf-8"))
