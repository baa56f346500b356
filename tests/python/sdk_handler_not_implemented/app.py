from spin_sdk.http import IncomingHandler as BaseHandler


class IncomingHandler(BaseHandler):
    pass
