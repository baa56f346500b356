from spin_sdk.wit import exports
from spin_sdk.wit.imports.types import Fields, OutgoingBody, OutgoingResponse, ResponseOutparam
from spin_sdk.wit.types import Ok


class IncomingHandler(exports.IncomingHandler):
    def handle(self, request, response_out):
        print("path", request.path_with_query())
        response = OutgoingResponse(Fields.from_list([("x-low", b"level"), ("set-cookie", b"a=1"), ("set-cookie", b"b=2")]))
        response.set_status_code(201)
        body = response.body()
        ResponseOutparam.set(response_out, Ok(response))
        with body.write() as stream:
            stream.blocking_write_and_flush(b"first ")
            stream.blocking_write_and_flush(b"second")
        OutgoingBody.finish(body, None)
