"""A controller of a measurement's own, in the place of the one that the stack runs."""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
import sys
from collections.abc import AsyncIterator

from benchmarks.hotlines import PATIENCE_S, Rexian, as_owner
from calls.errors import NotPossible
from cti.settings import CHECKOUT
from cti.stack.programs import VENV


@contextlib.asynccontextmanager
async def instead_of_controller(exchange: Rexian, *words: str) -> AsyncIterator[int]:
    """`python words`, which is ready and takes calls until the end of the block: its process."""
    await asyncio.to_thread(_supervisor, exchange, "stop")
    try:
        async with beside(exchange, *words) as pid:
            await _ready(exchange)
            yield pid
    finally:
        await asyncio.to_thread(_supervisor, exchange, "start")
        await _ready(exchange)


@contextlib.asynccontextmanager
async def beside(exchange: Rexian, *words: str) -> AsyncIterator[int]:
    """`python words`, as the hotline's owner and with its settings, killed at the end of the block: its process."""
    process = await asyncio.create_subprocess_exec(
        *("/usr/bin/setpriv", "--pdeathsig", "KILL", "--", sys.executable, *words),
        env=exchange.environment,
        cwd=CHECKOUT,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
        **as_owner(exchange.settings),
    )
    try:
        yield process.pid
    finally:
        with contextlib.suppress(ProcessLookupError):  # it has ended by itself: whoever measures has noticed
            process.kill()
        await process.wait()


def _supervisor(exchange: Rexian, word: str) -> None:
    conf = exchange.settings.etc_dir / "supervisord.conf"
    subprocess.run([VENV / "bin" / "supervisorctl", "-c", conf, word, "controller"], check=True, capture_output=True)


async def _ready(exchange: Rexian) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while True:
            with contextlib.suppress(NotPossible):
                if (await exchange.status()).ready:
                    return
            await asyncio.sleep(0.2)
