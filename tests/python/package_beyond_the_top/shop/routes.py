from ... import shop  # type: ignore


def handler() -> str:
    return "never"
