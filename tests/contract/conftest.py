"""The real servers that contract tests talk to."""

from tests.mosquitto import broker
from tests.postgres import cluster, database, empty_database

__all__ = ["broker", "cluster", "database", "empty_database"]
