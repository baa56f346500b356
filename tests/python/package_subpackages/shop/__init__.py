print("shop loads")
ORDER = ["shop"]

from .api import routes as _routes
