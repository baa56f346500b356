from spin_sdk.wit import exports


class IncomingHandler(exports.IncomingHandler):
    def handle(self, request, response_out):
        if request.path_with_query() == "/":
            print("no answer")
            return
        raise ValueError("low level")
