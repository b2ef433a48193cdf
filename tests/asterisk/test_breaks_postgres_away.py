"""When things break: PostgreSQL is stopped, frozen, refuses, or swallows what is sent. Calls go on, the journal fills, and
afterwards every fact is there, once. Ten minutes of a busy country's facts: `python -m tests.soak.postgres_ten_minutes`.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager, suppress

import pytest

from calls.errors import NotPossible
from calls.facts import CallEnded
from cti.settings import CHECKOUT
from tests.asterisk.hotline import Hotline
from tests.asterisk.phones import CITIZEN_HZ, SEAT_HZ, hears, listen
from tests.eventually import eventually
from tests.faults import pid_of, stopped, supervisorctl, until_working, working
from tests.figures import tell
from tests.processes import family

pytestmark = pytest.mark.asterisk


async def a_whole_call(hotline: Hotline, meanwhile: Callable[[], Awaitable[object]] | None = None) -> CallEnded:
    """From the first ring to the rating, with an adviser; `meanwhile` happens while they talk."""
    async with hotline.adviser("1001", "8001") as seat, hotline.caller("1", rate="5") as caller:
        await caller.connected()
        if meanwhile is not None:
            await meanwhile()
        assert hears(await listen(caller.phone), SEAT_HZ)
        assert hears(await listen(seat), CITIZEN_HZ)
        await seat.hangup()
        await caller.hears("rating.ask")
        return await caller.leave()


async def told_as_unready(hotline: Hotline) -> None:
    """`rexian status` names PostgreSQL and exits 1, while calls are answered."""

    async def told() -> bool:
        try:
            status = await hotline.status()
        except NotPossible:  # the next controller is not there yet
            return False
        return status.answering and any("PostgreSQL" in problem for problem in status.problems)

    await eventually(told)
    code, said, _ = await hotline.rexian("status")
    assert code == 1
    assert "PostgreSQL" in said


async def caught_up(hotline: Hotline, how: str, waiting: int, since: float) -> None:
    """Ready again by itself, with every fact of the journal in the database, once."""
    await eventually(lambda: working(hotline))
    shipped = await hotline.sql("SELECT seq FROM facts WHERE node = $1 ORDER BY seq", hotline.settings.node)
    tell(f"postgres {how}: {waiting} facts waited, caught up after", time.monotonic() - since, "s")
    recorded = journal_numbers(hotline)
    assert [seq for (seq,) in shipped] == recorded[: len(shipped)]
    assert len(recorded) - len(shipped) < 10  # what has just happened
    assert await hotline.sql("SELECT * FROM conservation_violations") == []


async def at_the_end(hotline: Hotline) -> tuple[int, float]:
    """How many facts wait, and when that was."""
    return (await hotline.status()).facts["to_postgres"], time.monotonic()


def journal_numbers(hotline: Hotline) -> list[int]:
    journal = sqlite3.connect(f"file:{hotline.settings.journal_path}?mode=ro", uri=True)
    try:
        return [seq for (seq,) in journal.execute("SELECT seq FROM facts ORDER BY seq")]
    finally:
        journal.close()


@asynccontextmanager
async def frozen(hotline: Hotline) -> AsyncIterator[None]:
    """The server and every session of it stand still inside the block."""
    server = family(pid_of(hotline, "postgres"))
    signalled(server, signal.SIGSTOP)
    try:
        yield
    finally:
        signalled(server, signal.SIGCONT)


def signalled(pids: Iterable[int], number: signal.Signals) -> None:
    """A process may have ended since it was looked for: a session, or a worker of the server's own."""
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, number)


@asynccontextmanager
async def between(hotline: Hotline) -> AsyncIterator[Callable[[str], Awaitable[None]]]:
    """A proxy stands before PostgreSQL inside the block, as the user whom PostgreSQL knows; call it with what to do."""
    folder = hotline.settings.postgres_socket_dir
    door, moved = folder / ".s.PGSQL.5432", folder / ".s.PGSQL.5433"
    door.rename(moved)
    owner = hotline.settings.state_dir.stat().st_uid
    proxy = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.proxy", str(door), str(moved)),
        cwd=CHECKOUT,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        user=owner if os.geteuid() == 0 else None,
    )
    assert proxy.stdin is not None
    assert proxy.stdout is not None
    words, answers = proxy.stdin, proxy.stdout

    async def tell_it(word: str) -> None:
        words.write(f"{word}\n".encode())
        assert (await answers.readline()).decode().strip() == word

    try:
        assert await answers.readline() == b"pass_on\n"
        yield tell_it
    finally:
        words.close()
        await proxy.wait()
        moved.rename(door)


async def test_postgres_stopped_and_the_controller_starts_without_it(hotline: Hotline) -> None:
    async with stopped(hotline, "postgres"):
        await supervisorctl(hotline, "restart", "controller")
        await told_as_unready(hotline)
        assert (await a_whole_call(hotline)).outcome == "queued"
        waiting = await at_the_end(hotline)
    await caught_up(hotline, "stopped", *waiting)


async def test_postgres_frozen(hotline: Hotline) -> None:
    async with frozen(hotline):
        assert (await a_whole_call(hotline, lambda: told_as_unready(hotline))).outcome == "queued"
        waiting = await at_the_end(hotline)
    await caught_up(hotline, "frozen", *waiting)


async def test_postgres_that_swallows_and_refuses(hotline: Hotline) -> None:
    sessions = await hotline.sql("SELECT pid FROM pg_stat_activity WHERE usename = 'rexian'")
    async with between(hotline) as proxy:
        signalled((pid for (pid,) in sessions), signal.SIGTERM)  # the controller comes again, to the new door
        await until_working(hotline)

        async def breaking_differently() -> None:
            await told_as_unready(hotline)
            await proxy("pass_on")
            await until_working(hotline)
            await proxy("refuse")
            await told_as_unready(hotline)

        await proxy("swallow")
        assert (await a_whole_call(hotline, breaking_differently)).outcome == "queued"
        waiting = await at_the_end(hotline)
    await caught_up(hotline, "swallowing, then refusing", *waiting)
