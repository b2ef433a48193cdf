"""Where the controller's time goes: the plain call once more, with a sampler inside the controller (`sampled.py`)."""

from __future__ import annotations

import asyncio
import os
import signal
from collections import Counter
from pathlib import Path

import msgspec

from benchmarks.hotlines import PATIENCE_S, Rexian
from benchmarks.instead import instead_of_controller
from benchmarks.sampled import Samples
from benchmarks.speed import all_seats, plain_calls

OURS = ("calls/", "ivr/", "queues/", "recordings/", "prompts/", "dialplan/", "cti/")
LONGEST = 40


async def profile(exchange: Rexian, rate: float, lasting_s: float) -> str:
    """A readable page: a call's milliseconds in the controller by module, by function, and with all that it calls."""
    number = round(rate * lasting_s)
    file = exchange.settings.run_dir / "samples.json"
    async with (
        instead_of_controller(exchange, "-m", "benchmarks.sampled", str(file)) as pid,
        all_seats(exchange) as staff,
    ):
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
