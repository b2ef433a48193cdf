"""The API's description of itself, OpenAPI 3.1, made from its routes: at `/api/openapi.json`, and in docs/desk.openapi.yaml.

What litestar cannot know is added here: who is refused, what cannot be, and that all refusals look the same. A route that
refuses for a reason of its own says so with `raises` or `responses`. tests/contract/test_desk_fuzz.py holds every answer
against this.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

from litestar import Litestar, get
from litestar.handlers import BaseRouteHandler
from litestar.openapi.config import OpenAPIConfig
from litestar.openapi.spec import Components, Reference, SecurityScheme, Server

from cti.desk.roles import ANY_ROLE, BEGINNER, STRANGER, allowed

VERSION = "1"

DESCRIPTION = """\
Sign in with `POST /api/v1/session`: the cookie of the answer is the session, and each request that changes
something shows the `csrf` of the answer in the header `X-CSRF-Token`. Without a session a route answers 401, in the
wrong role 403, for what cannot be 409, for what is no request 400; always `{"status_code", "detail"}`. The feed is a
websocket, `/api/v1/feed`, which this document has no words for: docs/feed.asyncapi.yaml has.
"""

REFUSALS = {
    400: "It is no request, or has something in it that it may not have.",
    401: "Nobody is signed in, or what was shown to come in is wrong.",
    403: "It is for somebody else, comes from a page that is not ours, or does not show the session's secret.",
    409: "It cannot be as things stand; `detail` says why, and the mend.",
    413: "The body is too long.",
    429: "Too many wrong tries of one address.",
}
REFUSAL = {
    "title": "Refusal",
    "type": "object",
    "properties": {
        "status_code": {"type": "integer"},
        "detail": {"type": "string"},
        "extra": {"type": ["array", "object", "null"], "description": "What is wrong in which field."},
    },
    "required": ["detail", "status_code"],
}


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
    document = Litestar(list(routes), openapi_config=config).openapi_schema.to_schema()
    by_name = {route.handler_name: route for route in routes}
    for methods in document["paths"].values():
        for method, operation in methods.items():
            _complete(operation, by_name[operation["operationId"]], changes=method != "get")
    components = document["components"]
    components["responses"] = {str(status): _refusal(why) for status, why in REFUSALS.items()}
    components["schemas"]["Refusal"] = REFUSAL
    for asked in (route.parsed_data_field.annotation for route in routes if route.parsed_data_field):
        if asked.__struct_config__.forbid_unknown_fields:
            components["schemas"][asked.__name__]["additionalProperties"] = False
    return document


def _complete(operation: dict[str, Any], route: BaseRouteHandler, *, changes: bool) -> None:
    """Who must be signed in, what is refused and how, and that an answer without a body has none."""
    may, answers = allowed(route.opt), operation["responses"]
    refused = {status for status in answers if status >= "400"}
    if STRANGER not in may:
        operation["security"] = [{"session": [], "csrf": []} if changes else {"session": []}]
        refused |= {"401", "403"} if changes or BEGINNER not in may else {"401"}
        refused |= {"409"} if "requestBody" in operation or "parameters" in operation else set()
    elif changes:
        refused |= {"403"}
    refused |= {"400", "413"} if "requestBody" in operation else set()
    answers |= {status: {"$ref": f"#/components/responses/{status}"} for status in refused}
    for status in ("204", "303"):
        answers.get(status, {}).pop("content", None)
    operation["responses"] = dict(sorted(answers.items()))


def _refusal(why: str) -> dict[str, Any]:
    return {
        "description": why,
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Refusal"}}},
    }
