def limit(text: str) -> int:
    # The line that fails is in another file.
    return int(text)
