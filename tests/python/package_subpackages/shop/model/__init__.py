from shop import ORDER

from .item import Item as Item

ORDER.append("model")
