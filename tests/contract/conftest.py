"""The real servers that contract tests talk to, and the controller on an Asterisk that is made up."""

from tests.bureau import bureau
from tests.contract.hotline_on_fake import calls, site, sounds
from tests.contract.served_desk import desk
from tests.mosquitto import broker
from tests.postgres import cluster, database, empty_database

__all__ = ["broker", "bureau", "calls", "cluster", "database", "desk", "empty_database", "site", "sounds"]
