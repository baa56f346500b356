import array
import json
import struct

from spin_sdk.http import IncomingHandler as BaseHandler, Request, Response

NUMBERS = array.array("d", [1.5, -2.25])


class IncomingHandler(BaseHandler):
    def handle_request(self, request):
        NUMBERS.append(0.1)
        packed = struct.pack("<bHi?4sqf", -1, 65535, -5, True, b"ab", 2**40, 1.5)
        record = struct.Struct(">I2x")
        swapped = array.array("H", [1, 256])
        swapped.byteswap()
        answer = {"packed": packed.hex(), "unpacked": repr(struct.unpack("<bHi?4sqf", packed)), "sizes": [struct.calcsize(code) for code in ["P", "l", "n", "@bi"]], "record": [record.size, list(record.iter_unpack(b"\0\0\0\1xx\0\0\0\2xx"))], "array": [NUMBERS.tolist(), NUMBERS.itemsize, NUMBERS.tobytes()[:8].hex()], "swapped": swapped.tolist()}
        try:
            struct.pack("B", 300)
        except struct.error as error:
            answer["error"] = str(error)
        return Response(200, {"content-type": "application/json"}, bytes(json.dumps(answer), "utf-8"))
