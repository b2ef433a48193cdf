"""The desk: the controller's HTTP side behind nginx, who may use it, and the log of what they did."""

from cti.desk.accounts import Accounts
from cti.desk.audit import Audit
from cti.desk.entrance import Doors
from cti.desk.feed import Feed
from cti.desk.house import Limits, PagePhone
from cti.desk.provider import Client, Provider
from cti.desk.sessions import Sessions
from cti.desk.tokens import Reader
from cti.desk.web import serve_web

__all__ = [
    "Accounts",
    "Audit",
    "Client",
    "Doors",
    "Feed",
    "Limits",
    "PagePhone",
    "Provider",
    "Reader",
    "Sessions",
    "serve_web",
]
