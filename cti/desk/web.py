"""`/api`: an ASGI application on loopback. Only what a stranger may know is here: is the hotline answering, on which lines."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import msgspec
import uvicorn
from litestar import Litestar, get

from cti.status import Status


class Health(msgspec.Struct, frozen=True):
    """Whether calls are answered. What stands in the way is for operations, not for strangers."""

    answering: bool
    lines: list[str]


def application(status: Callable[[], Status]) -> Litestar:
    """The ASGI application."""

    @get("/api/health", sync_to_thread=False)
    def health() -> Health:
        now = status()
        lines = [name.removeprefix("line ") for name in now.versions if name.startswith("line ")]
        return Health(now.answering, lines)

    return Litestar([health], openapi_config=None)


class _Server(uvicorn.Server):
    """uvicorn inside a process whose signals are somebody else's."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def serve_web(port: int, status: Callable[[], Status]) -> None:
    """Serve on loopback until cancelled."""
    config = uvicorn.Config(
        application(status), host="127.0.0.1", port=port, log_level="warning", access_log=False, lifespan="on"
    )
    await _Server(config).serve()
