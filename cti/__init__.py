"""The edge: the only room that touches network and database. `server.py` is where everything is put together."""

from importlib.metadata import version

__version__ = version("rexian")
