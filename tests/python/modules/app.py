import json

from spin_sdk.http import IncomingHandler as BaseHandler, Request, Response


class IncomingHandler(BaseHandler):
    def handle_request(self, request: Request) -> Response:
        import colorsys
        import fractions
        import string
        from xml.sax.saxutils import escape

        return Response(200, {"content-type": "application/json"}, bytes(json.dumps({"hls": colorsys.rgb_to_hls(1, 0.5, 0), "sum": str(fractions.Fraction(1, 3) + fractions.Fraction(1, 6)), "letters": string.ascii_letters, "escaped": escape("<a & b>")}), "utf-8"))
