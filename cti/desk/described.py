"""The API's description of itself, OpenAPI 3.1, made from its routes: at `/api/openapi.json`, and in docs/desk.openapi.yaml."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

from litestar import Litestar, get
from litestar.handlers import BaseRouteHandler
from litestar.openapi.config import OpenAPIConfig
from litestar.openapi.spec import Components, Reference, SecurityScheme, Server

from cti.desk.roles import ANY_ROLE

VERSION = "1"

DESCRIPTION = """\
Sign in with `POST /api/v1/session`: the cookie of the answer is the session, and each request that changes
something shows the `csrf` of the answer in the header `X-CSRF-Token`. Without a session a route answers 401, in the
wrong role 403, for what cannot be 409, for what is no request 400; always `{"status_code", "detail"}`. The feed is a
websocket, `/api/v1/feed`, which this document has no words for: docs/desk.md has.
"""


def describing(routes: Sequence[BaseRouteHandler]) -> BaseRouteHandler:
    """The route that describes these routes and itself."""

    @cache
    def description() -> dict[str, Any]:
        return described([*routes, openapi])

    @get("/api/openapi.json", opt=ANY_ROLE, sync_to_thread=False)
    def openapi() -> dict[str, Any]:
        """This description."""
        return description()

    return openapi


def described(routes: Sequence[BaseRouteHandler]) -> dict[str, Any]:
    """The document. It is made by an application that is never served: one that describes itself shows that to strangers."""
    schemes: dict[str, SecurityScheme | Reference] = {
        "session": SecurityScheme(type="apiKey", name="rexian", security_scheme_in="cookie"),
        "csrf": SecurityScheme(type="apiKey", name="X-CSRF-Token", security_scheme_in="header"),
    }
    config = OpenAPIConfig(
        title="The desk of a hotline",
        version=VERSION,
        description=DESCRIPTION,
        components=Components(security_schemes=schemes),
        servers=[Server("http://127.0.0.1:8080", description="The web door of `make run`.")],
        render_plugins=[],
        use_handler_docstrings=True,
        operation_id_creator=lambda handler, _, __: handler.handler_name,
    )
    return Litestar(list(routes), openapi_config=config).openapi_schema.to_schema()
