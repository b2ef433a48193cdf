"""Where the controller's time goes: the plain call once more, with a sampler inside the controller (`sampled.py`)."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec

from benchmarks.hotlines import PATIENCE_S, Rexian, as_owner
from benchmarks.sampled import Samples
from benchmarks.speed import all_seats, plain_calls
from calls.errors import NotPossible
from cti.settings import CHECKOUT
from cti.stack.programs import VENV

OURS = ("calls/", "ivr/", "queues/", "recordings/", "prompts/", "dialplan/", "cti/")
LONGEST = 40


async def profile(exchange: Rexian, rate: float, lasting_s: float) -> str:
    """A readable page: a call's milliseconds in the controller by module, by function, and with all that it calls."""
    number = round(rate * lasting_s)
    async with _sampled_controller(exchange) as (pid, file), all_seats(exchange) as staff:
        await _written(pid, file)  # what it took until here is left out
        await plain_calls(exchange, staff, rate, lasting_s)
        samples = await _written(pid, file)
    return page(samples, number)


def page(samples: Samples, calls: int) -> str:
    """The samples of so many calls."""
    modules: Counter[str] = Counter()
    for name, ms in samples.own.items():
        modules[_module(name)] += ms  # type: ignore[assignment]  # Counter's values may be any number
    ours = {name: ms for name, ms in samples.total.items() if name.startswith(OURS)}
    lines = [
        f"CPU of the controller: {samples.main_thread_ms / calls:.2f} ms a call in the event loop's thread, "
        f"{samples.other_threads_ms / calls:.2f} ms in other threads (journal, sealing of recordings); {calls} calls",
    ]
    for title, rows in (
        ("by module, its own time", dict(modules.most_common())),
        ("by function, its own time", samples.own),
        ("by function of ours, with all that it calls or awaits", ours),
    ):
        lines += ["", f"{title}: ms a call, share"]
        for name, ms in list(rows.items())[:LONGEST]:
            lines.append(f"{ms / calls:8.3f}  {ms / samples.main_thread_ms:6.1%}  {name}")
    return "\n".join((*lines, ""))


def _module(name: str) -> str:
    """Ours by file, what we build on by its first folder."""
    path = name.partition(":")[0]
    if path.startswith(OURS):
        return path
    if path.startswith("/"):
        return f"python: {Path(path).name}"
    return path.partition("/")[0]


@contextlib.asynccontextmanager
async def _sampled_controller(exchange: Rexian) -> AsyncIterator[tuple[int, Path]]:
    """In the place of the one that supervisor runs, until the end of the block: its process, and where it will write."""
    await asyncio.to_thread(_supervisor, exchange, "stop")
    file = exchange.settings.run_dir / "samples.json"
    process = await asyncio.create_subprocess_exec(
        *("/usr/bin/setpriv", "--pdeathsig", "KILL", "--", sys.executable, "-m", "benchmarks.sampled", str(file)),
        env=exchange.environment,
        cwd=CHECKOUT,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
        **as_owner(exchange.settings),
    )
    try:
        await _ready(exchange)
        yield process.pid, file
    finally:
        process.kill()
        await process.wait()
        await asyncio.to_thread(_supervisor, exchange, "start")
        await _ready(exchange)


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


async def _written(pid: int, file: Path) -> Samples:
    """What was sampled since the last time."""
    before = _version(file)
    os.kill(pid, signal.SIGUSR2)
    async with asyncio.timeout(PATIENCE_S):
        while _version(file) == before:  # noqa: ASYNC110 - a file has no event
            await asyncio.sleep(0.1)
    return _read(file)


def _version(file: Path) -> int | None:
    return file.stat().st_ino if file.exists() else None


def _read(file: Path) -> Samples:
    return msgspec.json.decode(file.read_bytes(), type=Samples)
