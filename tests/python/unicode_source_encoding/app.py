# -*- coding: utf-8 -*-
from spin_sdk.http import IncomingHandler as BaseHandler, Request, Response

TEXT = "ünï\
 ©"


class IncomingHandler(BaseHandler):
    def handle_request(self, request: Request) -> Response:
        return Response(200, {}, ascii(TEXT).encode())
