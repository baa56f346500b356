from ..model import Item
from ..model.data import TABLE


def describe(name: str) -> str:
    return f"{Item(name)} {TABLE[name]}"
