from .. import ORDER

ORDER.append("api")
