"""The controller's HTTP side, behind nginx: today its health, for the page and for whoever watches the hotline."""

from cti.desk.web import serve_web

__all__ = ["serve_web"]
