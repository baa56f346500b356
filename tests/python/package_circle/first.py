import second


def value() -> str:
    return "first"
