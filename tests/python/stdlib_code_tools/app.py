import ast
import dis
import io
import json
import keyword
import symtable
import tokenize

from spin_sdk.http import IncomingHandler as BaseHandler, Request, Response


class IncomingHandler(BaseHandler):
    def handle_request(self, request):
        source = "def f(a):\n    return a + 1  # comment\n"
        tree = ast.parse(source)
        space = {}
        exec(compile(tree, "<own>", "exec"), space)
        answer = {"dump": ast.dump(tree.body[0].body[0]), "unparsed": ast.unparse(tree), "literal": ast.literal_eval("{'a': [1, (2,)]}"), "called": space["f"](4), "evaluated": eval("x * 2", {"x": 21}), "tokens": [token.string for token in tokenize.generate_tokens(io.StringIO(source).readline)][:6], "operations": [step.opname for step in dis.get_instructions(space["f"])], "keyword": keyword.iskeyword("match"), "symbols": symtable.symtable(source, "own", "exec").get_children()[0].get_parameters()}
        try:
            compile("a = (", "<own>", "exec")
        except SyntaxError as error:
            answer["error"] = [error.msg, error.lineno, error.offset]
        return Response(200, {"content-type": "application/json"}, bytes(json.dumps(answer), "utf-8"))
