import json
import xml.dom.expatbuilder
import xml.etree.ElementTree as ElementTree
from xml.dom import minidom

from spin_sdk.http import IncomingHandler as BaseHandler, Request, Response

TREE = ElementTree.fromstring("<shop xmlns:x='urn:x'><item id='1'>Ä</item><x:item id='2'/>tail</shop>")


class IncomingHandler(BaseHandler):
    def handle_request(self, request):
        TREE.append(ElementTree.Element("item", {"id": "3", "name": "<&>"}))
        answer = {"items": [item.get("id") for item in TREE.iter("item")], "found": TREE.find("{urn:x}item").attrib, "text": ElementTree.tostring(TREE, encoding="unicode"), "path": [item.get("id") for item in TREE.findall("./item[@id='3']")], "dom": minidom.parseString("<a><b/></a>").toprettyxml(indent=" ")}
        try:
            ElementTree.fromstring("<a><b></a>")
        except ElementTree.ParseError as error:
            answer["error"] = [str(error), error.position]
        return Response(200, {"content-type": "application/json"}, bytes(json.dumps(answer), "utf-8"))
