def use() -> str:
    return "used"
