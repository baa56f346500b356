import copy
import io
import json
import pickle

from spin_sdk.http import IncomingHandler as BaseHandler, Request, Response


class Node:
    def __init__(self, value):
        self.value = value
        self.links = []

    def __reduce__(self):
        return (Node, (self.value,), {"links": self.links})

    def __deepcopy__(self, memo):
        print("deep copy of", self.value)
        made = Node(self.value)
        memo[id(self)] = made
        made.links = copy.deepcopy(self.links, memo)
        return made


TREE = Node("root")
TREE.links += [Node("child"), TREE]
STORED = pickle.dumps(TREE)


class IncomingHandler(BaseHandler):
    def handle_request(self, request):
        loaded = pickle.loads(STORED)
        deep = copy.deepcopy(TREE)
        shallow = copy.copy([TREE])
        answer = {"circle": loaded.links[1] is loaded, "child": loaded.links[0].value, "deep": deep.links[1] is deep, "shallow": shallow[0] is TREE, "module": Node.__module__, "protocols": [len(pickle.dumps({"a": [1, "ü"]}, protocol)) for protocol in range(6)]}
        for name, value in {"lambda": lambda: 1, "generator": (n for n in []), "file": io.StringIO("a")}.items():
            try:
                answer[name] = len(pickle.dumps(value))
            except Exception as error:
                answer[name] = f"{type(error).__name__}: {str(error).split(' at 0x')[0]}"
        return Response(200, {"content-type": "application/json"}, bytes(json.dumps(answer), "utf-8"))
