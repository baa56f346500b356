import json

from spin_sdk.http import IncomingHandler as BaseHandler, Request, Response


class Vector:
    def __init__(self, *values):
        self.values = values

    def __add__(self, other):
        return Vector(*(a + b for a, b in zip(self.values, other.values)))

    def __rmul__(self, number):
        return Vector(*(number * a for a in self.values))

    def __matmul__(self, other):
        return sum(a * b for a, b in zip(self.values, other.values))

    def __getitem__(self, index):
        return self.values[index]

    def __len__(self):
        return len(self.values)

    def __contains__(self, value):
        return any(value == own for own in self.values)

    def __neg__(self):
        return -1 * self

    def __bool__(self):
        return any(self.values)

    def __eq__(self, other):
        return isinstance(other, Vector) and self.values == other.values

    def __hash__(self):
        return hash(self.values)

    def __repr__(self):
        return f"Vector{self.values}"

    def __format__(self, spec):
        return ",".join(format(value, spec) for value in self.values)

    def __call__(self, scale=1):
        return scale * self

    def __index__(self):
        return len(self)

    def __iadd__(self, other):
        self.values += other.values
        return self


class IncomingHandler(BaseHandler):
    def handle_request(self, request):
        a, b = Vector(1, 2), Vector(3, 4)
        c = Vector(0, 0)
        c += a
        answer = [repr(a + b), repr(2 * a), a @ b, a[1:], len(a), 2 in a, repr(-a), bool(Vector(0)), a == Vector(1, 2), f"{b:.2f}", repr(a(3)), [10, 20, 30][a], repr(c), len({a, Vector(1, 2)})]
        return Response(200, {"content-type": "application/json"}, bytes(json.dumps(answer), "utf-8"))
