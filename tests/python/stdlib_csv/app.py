import csv
import io
import json

from spin_sdk.http import IncomingHandler as BaseHandler, Request, Response


csv.register_dialect("semicolons", delimiter=";", quoting=csv.QUOTE_ALL, lineterminator="\n")


class IncomingHandler(BaseHandler):
    def handle_request(self, request: Request) -> Response:
        out = io.StringIO()
        writer = csv.DictWriter(out, ["a", "b"], dialect="semicolons", extrasaction="ignore")
        writer.writeheader()
        writer.writerow({"a": "1;2", "b": "quote \" here", "c": 3})
        answer = {"out": out.getvalue(), "dialects": sorted(csv.list_dialects()), "sniffed": csv.Sniffer().sniff("a,b\n1,2\n3,4\n").delimiter, "rows": list(csv.reader(["a|b", "'c|d'|e"], delimiter="|", quotechar="'"))}
        return Response(200, {"content-type": "application/json"}, bytes(json.dumps(answer), "utf-8"))
