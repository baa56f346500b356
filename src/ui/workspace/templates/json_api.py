import json
from typing import Any
from urllib.parse import urlsplit

from spin_sdk.http import IncomingHandler as BaseHandler, Request, Response

ORDERS: dict[str, dict[str, Any]] = {
    "7": {"id": "7", "item": "coffee", "quantity": 2},
}


def answer(status: int, value: Any) -> Response:
    body = json.dumps(value, ensure_ascii=False).encode()
    return Response(status, {"content-type": "application/json"}, body)


class IncomingHandler(BaseHandler):
    def handle_request(self, request: Request) -> Response:
        path = urlsplit(request.uri).path
        parts = [part for part in path.split("/") if part]

        if parts == []:
            return answer(200, {"routes": ["GET /orders", "POST /orders", "GET /orders/{id}"]})
        if parts == ["orders"] and request.method == "GET":
            return answer(200, list(ORDERS.values()))
        if parts == ["orders"] and request.method == "POST":
            return self.create_order(request)
        if len(parts) == 2 and parts[0] == "orders" and request.method == "GET":
            order = ORDERS.get(parts[1])
            if order is None:
                return answer(404, {"error": f"There is no order {parts[1]}."})
            return answer(200, order)
        return answer(404, {"error": f"No route for {request.method} {path}."})

    def create_order(self, request: Request) -> Response:
        try:
            order = json.loads(request.body or b"")
        except ValueError:
            return answer(400, {"error": "Send the order as JSON."})
        if not isinstance(order, dict) or "item" not in order:
            return answer(400, {"error": "Name the item: {\"item\": \"tea\", \"quantity\": 1}."})
        # Every request runs in a fresh instance: keep what must stay in a store of your own.
        created = {"id": "8", "item": order["item"], "quantity": order.get("quantity", 1)}
        print("order created:", created["item"])
        return answer(201, created)
