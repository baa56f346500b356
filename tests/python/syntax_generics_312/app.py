from spin_sdk.http import IncomingHandler as BaseHandler


class Stack[T]:
    def __init__(self) -> None:
        self.items: list[T] = []

    def push(self, item: T) -> "Stack[T]":
        self.items.append(item)
        return self


type Pairs[K] = dict[K, tuple[K, K]]


def first[T](items: list[T]) -> T:
    return items[0]


class IncomingHandler(BaseHandler):
    def handle_request(self, request):
        from spin_sdk.http import Response

        shown = [Stack[int]().push(1).push(2).items, str(Pairs.__value__), str(Stack.__type_params__), first(["a"])]
        return Response(200, {}, str(shown).encode())
