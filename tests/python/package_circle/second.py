import first


def back() -> str:
    return "second of " + first.value()
