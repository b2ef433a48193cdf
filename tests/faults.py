"""Breaking the parts of a running hotline, and seeing them mended by supervisor, as in life."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from calls.errors import NotPossible
from cti.settings import CHECKOUT
from cti.stack.supervisor import Supervisor
from tests.asterisk.hotline import Hotline
from tests.eventually import eventually


def pid_of(hotline: Hotline, program: str) -> int:
    """The process of one of the daemons; 0 while there is none."""
    return next(found.pid for found in Supervisor(hotline.settings).programs() if found.name == program)


def kill(hotline: Hotline, program: str) -> None:
    """SIGKILL, to the daemon and nobody else."""
    if pid := pid_of(hotline, program):
        os.kill(pid, signal.SIGKILL)


@asynccontextmanager
async def frozen(hotline: Hotline, program: str) -> AsyncIterator[None]:
    """SIGSTOP inside the block: the process is there, its sockets are open, it does nothing."""
    pid = pid_of(hotline, program)
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        with suppress(ProcessLookupError):  # the watchdog does not wait for us
            os.kill(pid, signal.SIGCONT)


@asynccontextmanager
async def stopped(hotline: Hotline, program: str) -> AsyncIterator[None]:
    """Properly stopped inside the block, started again after it."""
    await supervisorctl(hotline, "stop", program)
    try:
        yield
    finally:
        await supervisorctl(hotline, "start", program)


async def supervisorctl(hotline: Hotline, *words: str) -> None:
    """As an operator types it; returns when it is done."""
    process = await asyncio.create_subprocess_exec(
        str(CHECKOUT / ".venv/bin/supervisorctl"),
        *("-c", str(hotline.settings.etc_dir / "supervisord.conf")),
        *words,
        stdout=asyncio.subprocess.DEVNULL,
        start_new_session=True,  # Ctrl-C is for the soak, which ends what it has begun
    )
    assert await process.wait() == 0, f"supervisorctl {words} failed"


async def working(hotline: Hotline) -> bool:
    """Whether a controller answers, has taken over, and every part does its work."""
    try:
        return (await hotline.status()).ready
    except NotPossible:
        return False


async def until_working(hotline: Hotline) -> float:
    """Wait for it; how long that took, seconds."""
    began = time.monotonic()
    await eventually(lambda: working(hotline))
    return time.monotonic() - began


async def until_new_process(hotline: Hotline, program: str, old: int) -> None:
    """Wait until supervisor has started another process."""
    await eventually(lambda: pid_of(hotline, program) not in (0, old))
