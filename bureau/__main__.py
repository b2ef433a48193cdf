"""`python -m bureau`: prepare the database, then serve on loopback until SIGTERM.

The token stands in a file, not in the arguments, which everybody on the machine may read. `--maker` is the address of
a role that may make roles and databases, for a first start.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import date
from pathlib import Path
from typing import Any

import asyncpg
import uvicorn
from litestar.types import ASGIApp

from bureau.database import AWAY, prepare
from bureau.faults import Cuttable, Faults
from bureau.once import clear_up
from bureau.web import application

CITIZENS = 2000
CONNECTIONS = 8
ANSWER_S = 10.0
"""No statement of ours takes so long; whoever waits for one has long asked again."""
IDLE_S = 30.0
CLEAR_UP_S = 3600.0
FAREWELL_S = 3
"""How long what is being answered may take when the service is told to stop."""


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser("bureau", description="The reference business system.")
    parser.add_argument("--port", type=int, required=True, help="on 127.0.0.1; 0: any free one")
    parser.add_argument("--database", required=True, help="the address of its database, as its own role")
    parser.add_argument("--maker", help="the address of somebody who may make that role and database")
    parser.add_argument("--token-file", type=Path, required=True, help="what the hotline must show, in a file")
    parser.add_argument("--citizens", type=int, default=CITIZENS, help="how many to invent, where there are none")
    parser.add_argument("--today", type=date.fromisoformat, help="the day for which they are invented")
    parser.add_argument("--faults", action="store_true", help="for tests: /faults makes things go wrong")
    return parser.parse_args()


@asynccontextmanager
async def _opened(database: str) -> AsyncIterator[asyncpg.Pool[Any]]:
    """The pool, and somebody who clears up in the database now and then."""
    async with asyncpg.create_pool(
        database,
        min_size=1,
        max_size=CONNECTIONS,
        timeout=ANSWER_S,
        command_timeout=ANSWER_S,
        max_inactive_connection_lifetime=IDLE_S,
    ) as pool:
        clearing = asyncio.create_task(_clear_up_for_ever(pool))
        try:
            yield pool
        finally:
            clearing.cancel()
            await asyncio.gather(clearing, return_exceptions=True)


async def _clear_up_for_ever(pool: asyncpg.Pool[Any]) -> None:
    while True:
        with suppress(*AWAY):
            await clear_up(pool)
        await asyncio.sleep(CLEAR_UP_S)


class _NotHealth(logging.Filter):
    """Who asks every few seconds whether we are well is not worth a line each time."""

    def filter(self, record: logging.LogRecord) -> bool:
        return "/health" not in record.getMessage()


def _configure_logs() -> None:
    logging.basicConfig(stream=sys.stdout, level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    logging.getLogger("uvicorn.access").addFilter(_NotHealth())


async def _serve(told: argparse.Namespace, listener: socket.socket) -> None:
    await prepare(told.maker, told.database, told.citizens, told.today)
    token = told.token_file.read_text().strip()
    served: ASGIApp = application(lambda: _opened(told.database), token)
    config = uvicorn.Config(
        Faults(served, token) if told.faults else served,
        http=Cuttable if told.faults else "h11",
        lifespan="on",
        log_config=None,
        timeout_graceful_shutdown=FAREWELL_S,
    )
    await uvicorn.Server(config).serve([listener])


def main() -> None:
    """Run until SIGTERM."""
    told = _arguments()
    _configure_logs()
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)  # named, or answers wait for Nagle
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", told.port))  # it listens once it can answer; until then whoever comes is refused
    sys.stdout.write(f"http://127.0.0.1:{listener.getsockname()[1]}\n")
    sys.stdout.flush()
    asyncio.run(_serve(told, listener))


if __name__ == "__main__":
    main()
