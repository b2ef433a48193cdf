"""`/api`: an ASGI application on loopback. Who may ask what, each route says; see entrance.py."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import msgspec
import uvicorn
from litestar import Litestar, Request, Response, get, post
from litestar.exceptions import ClientException, HTTPException, NotAuthorizedException
from litestar.handlers import BaseRouteHandler
from litestar.openapi.spec import OpenAPIMediaType, OpenAPIType, Operation, Reference, RequestBody, Schema

from calls.errors import NotPossible
from cti.desk.consulting import consulting
from cti.desk.described import describing
from cti.desk.entrance import Doors, admit, recognising, ways
from cti.desk.floor import floor
from cti.desk.forms import forms
from cti.desk.house import House
from cti.desk.leads import leads
from cti.desk.mine import mine
from cti.desk.people import people
from cti.desk.roles import STRANGERS, allowed
from cti.desk.seats import seats
from cti.desk.vouching import vouching
from cti.desk.watching import watching
from cti.settings import REPORTS_PATH

LONGEST_BODY = 10_000
"""Bytes."""


class Health(msgspec.Struct, frozen=True):
    """Whether calls are answered. What stands in the way is for operations, not for strangers."""

    answering: bool
    lines: list[str]


class Exact(Request[Any, Any, Any]):
    """A request whose body is what its route asks for, to the letter: litestar takes "1" for true, and a number for a date."""

    async def json(self) -> Any:
        """The body. Raises litestar's 400 with the field that is wrong, and why."""
        asked = self.route_handler.parsed_data_field
        try:
            return msgspec.json.decode(await self.body(), type=asked.annotation if asked else Any)
        except msgspec.DecodeError as error:
            raise ClientException(str(error)) from None


@dataclass
class Signed(Operation):
    """How a report is described: its signature is over the bytes, so no route takes it apart."""

    def __post_init__(self) -> None:
        properties: dict[str, Reference | Schema] = {
            "key": Schema(type=OpenAPIType.STRING),
            "state": Schema(enum=["delivered", "undeliverable"]),
        }
        body = Schema(type=OpenAPIType.OBJECT, properties=properties, required=["key", "state"])
        self.request_body = RequestBody({"application/json": OpenAPIMediaType(schema=body)}, required=True)


def application(house: House, doors: Doors) -> Litestar:
    """The ASGI application. Raises ValueError when a route does not say who may use it."""
    routes = all_routes(house, doors)
    if unsaid := [route.name or route.handler_name for route in routes if not allowed(route.opt)]:
        raise ValueError(f"who may use it is not said of: {', '.join(unsaid)}")
    return Litestar(
        routes,
        guards=[admit],
        middleware=[recognising(doors)],
        exception_handlers={NotPossible: _not_possible, UnicodeDecodeError: _not_text},
        openapi_config=None,
        response_headers={"Cache-Control": "no-store"},  # what one person may see is for nobody's cache
        request_max_body_size=LONGEST_BODY,
        request_class=Exact,
    )


def all_routes(house: House, doors: Doors) -> list[BaseRouteHandler]:
    """Every route of the API."""

    @get("/api/health", opt=STRANGERS, sync_to_thread=False)
    def health() -> Health:
        now = house.status()
        lines = [name.removeprefix("line ") for name in now.versions if name.startswith("line ")]
        return Health(now.answering, lines)

    @post(REPORTS_PATH, opt=STRANGERS, status_code=204, operation_class=Signed, raises=[NotAuthorizedException])
    async def report(request: Request[Any, Any, Any]) -> None:
        """What became of a text; from the SMS gateway, which signs it (docs/texts.md)."""
        headers = {name.title(): value for name, value in request.headers.items()}
        status = house.reported(headers, await request.body())
        if status != 204:
            raise HTTPException(detail="that is no report, or it is not signed as it must be", status_code=status)

    strangers = [health, report, *ways(doors), *vouching(doors)]
    routes = [
        *strangers,
        *people(doors),
        *seats(doors, house),
        *consulting(doors, house),
        *leads(doors, house),
        *floor(doors, house),
        *forms(house),
        *mine(doors, house),
        *watching(doors, house),
    ]
    return [*routes, describing(routes)]


def _not_possible(_: Request[Any, Any, Any], error: NotPossible) -> Response[dict[str, object]]:
    return Response({"status_code": 409, "detail": str(error)}, status_code=409)


def _not_text(_: Request[Any, Any, Any], __: UnicodeDecodeError) -> Response[dict[str, object]]:
    return Response({"status_code": 400, "detail": "the body is not UTF-8"}, status_code=400)


class Server(uvicorn.Server):
    """uvicorn inside a process whose signals are somebody else's."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def server(port: int, house: House, doors: Doors) -> Server:
    """It on loopback, to be served."""
    config = uvicorn.Config(
        application(house, doors),
        host="127.0.0.1",
        port=port,
        log_level="warning",
        access_log=False,
        ws="websockets-sansio",
        ws_max_size=LONGEST_BODY,
        ws_per_message_deflate=False,  # on a local network there is room, and the calls need the processor
        lifespan="on",
    )
    return Server(config)


async def serve_web(port: int, house: House, doors: Doors) -> None:
    """Serve on loopback until cancelled."""
    await server(port, house, doors).serve()
