"""`/api`: an ASGI application on loopback. Only what a stranger may know is here: is the hotline answering, on which lines."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import msgspec
import uvicorn
from litestar import Litestar, Request, Response, get, post

from cti.settings import REPORTS_PATH
from cti.status import Status

LONGEST_REPORT = 10_000
"""Bytes."""


class Health(msgspec.Struct, frozen=True):
    """Whether calls are answered. What stands in the way is for operations, not for strangers."""

    answering: bool
    lines: list[str]


Reported = Callable[[Mapping[str, str], bytes], int]
"""Takes a delivery report, its headers and body, and answers an HTTP status."""


def application(status: Callable[[], Status], reported: Reported) -> Litestar:
    """The ASGI application."""

    @get("/api/health", sync_to_thread=False)
    def health() -> Health:
        now = status()
        lines = [name.removeprefix("line ") for name in now.versions if name.startswith("line ")]
        return Health(now.answering, lines)

    @post(REPORTS_PATH)
    async def report(request: Request[Any, Any, Any]) -> Response[None]:
        """What became of a text; from the SMS gateway, which signs it."""
        headers = {name.title(): value for name, value in request.headers.items()}
        return Response(None, status_code=reported(headers, await request.body()))

    return Litestar([health, report], openapi_config=None, request_max_body_size=LONGEST_REPORT)


class Server(uvicorn.Server):
    """uvicorn inside a process whose signals are somebody else's."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def server(port: int, status: Callable[[], Status], reported: Reported) -> Server:
    """It on loopback, to be served."""
    config = uvicorn.Config(
        application(status, reported),
        host="127.0.0.1",
        port=port,
        log_level="warning",
        access_log=False,
        lifespan="on",
    )
    return Server(config)


async def serve_web(port: int, status: Callable[[], Status], reported: Reported) -> None:
    """Serve on loopback until cancelled."""
    await server(port, status, reported).serve()
