import gettext
import json
import locale

from spin_sdk.http import IncomingHandler as BaseHandler, Request, Response


class IncomingHandler(BaseHandler):
    def handle_request(self, request):
        answer = {"locale": locale.getlocale(), "preferred": locale.getpreferredencoding(), "encoding": locale.getencoding(), "decimal": locale.localeconv()["decimal_point"], "grouped": locale.format_string("%d", 1234567, grouping=True), "gettext": gettext.gettext("hello"), "formatted": f"{1234567:n} {1234567:,}"}
        for name in ["C", "", "de_DE.UTF-8"]:
            try:
                answer[f"set {name}"] = locale.setlocale(locale.LC_ALL, name)
            except locale.Error as error:
                answer[f"set {name}"] = str(error)
        return Response(200, {"content-type": "application/json"}, bytes(json.dumps(answer), "utf-8"))
