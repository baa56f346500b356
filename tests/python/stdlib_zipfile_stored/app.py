import encodings.cp437
import io
import json
import tarfile
import zipfile

from spin_sdk.http import IncomingHandler as BaseHandler, Request, Response


class IncomingHandler(BaseHandler):
    def handle_request(self, request):
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w") as archive:
            archive.writestr("a/b.txt", "content")
        answer = {"names": zipfile.ZipFile(file).namelist(), "read": zipfile.ZipFile(file).read("a/b.txt").decode()}
        try:
            with zipfile.ZipFile(io.BytesIO(), "w", zipfile.ZIP_DEFLATED) as archive:
                archive.writestr("a", "b")
        except Exception as error:
            answer["deflated"] = f"{type(error).__name__}: {error}"
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w") as tar:
            entry = tarfile.TarInfo("x")
            entry.size = 3
            tar.addfile(entry, io.BytesIO(b"abc"))
        packed.seek(0)
        answer["tar"] = [member.name for member in tarfile.open(fileobj=packed)]
        return Response(200, {"content-type": "application/json"}, bytes(json.dumps(answer), "utf-8"))
