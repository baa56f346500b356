import json
import pathlib
from importlib import resources

from spin_sdk.http import IncomingHandler as BaseHandler, Request, Response

HERE = pathlib.Path(__file__).parent
TABLE = json.loads((HERE / "data" / "table.json").read_text(encoding="utf-8"))
with open(HERE / "motto.txt", encoding="utf-8") as file:
    MOTTO = file.read().strip()


class IncomingHandler(BaseHandler):
    def handle_request(self, request: Request) -> Response:
        try:
            later = (HERE / "motto.txt").read_text(encoding="utf-8")
        except OSError as error:
            later = type(error).__name__
        return Response(200, {}, f"{TABLE} {MOTTO} {later}".encode())
