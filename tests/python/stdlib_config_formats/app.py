import configparser
import io
import json
import tomllib

from spin_sdk.http import IncomingHandler as BaseHandler, Request, Response

SETTINGS = tomllib.loads("title = 'x'\n[owner]\nborn = 1979-05-27T07:32:00Z\nlist = [1, 2.5, true]\n[[row]]\na = 1\n")
PARSER = configparser.ConfigParser()
PARSER.read_string("[DEFAULT]\nroot = /srv\n[web]\npath = %(root)s/www\nport: 80\ndebug = on\n")


class IncomingHandler(BaseHandler):
    def handle_request(self, request):
        out = io.StringIO()
        PARSER["new"] = {"a": "1"}
        PARSER.write(out)
        answer = {"toml": [SETTINGS["title"], str(SETTINGS["owner"]["born"]), SETTINGS["owner"]["list"], SETTINGS["row"]], "ini": [PARSER["web"]["path"], PARSER.getint("web", "port"), PARSER.getboolean("web", "debug"), PARSER.sections()], "out": out.getvalue()}
        try:
            tomllib.loads("a = ")
        except tomllib.TOMLDecodeError as error:
            answer["error"] = str(error)
        return Response(200, {"content-type": "application/json"}, bytes(json.dumps(answer), "utf-8"))
