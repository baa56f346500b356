from spin_sdk.http import IncomingHandler as BaseHandler


class Refused(Exception):
    def __init__(self, code, reason):
        super().__init__(reason)
        self.code = code

    def __str__(self):
        return f"[{self.code}] {self.args[0]}"


def chained():
    try:
        int("x")
    except ValueError:
        {}["missing"]


def caused():
    try:
        int("x")
    except ValueError as error:
        raise Refused(7, "caused") from error


def suppressed():
    try:
        int("x")
    except ValueError:
        raise Refused(8, "alone") from None


def group():
    raise ExceptionGroup("several", [ValueError("one"), ExceptionGroup("inner", [KeyError("two")])])


def notes():
    error = ValueError("with notes")
    error.add_note("first note")
    error.add_note("second\nnote")
    raise error


class IncomingHandler(BaseHandler):
    def handle_request(self, request):
        match request.uri:
            case "/chained":
                chained()
            case "/from":
                caused()
            case "/suppressed":
                suppressed()
            case "/group":
                group()
            case "/notes":
                notes()
            case "/custom":
                raise Refused(9, "한글 ü")
            case "/assert":
                assert request.uri == "x", f"wrong path {request.uri}"
            case "/attribute":
                request.bodi
            case "/name":
                nothing_of_the_name
            case "/unicode":
                b"\xff".decode()
            case "/syntax":
                exec("a =\n")
            case "/stop":
                raise StopIteration(5)
