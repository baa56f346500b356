__all__ = ["E"]
E = 5
_HIDDEN = 6
