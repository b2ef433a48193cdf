"""Ten minutes without PostgreSQL at the whole country's rate, and how long until every fact is there.

    python -m tests.soak.postgres_ten_minutes                   30 calls a second, 25 facts each, 600 s: 450,000 facts
    python -m tests.soak.postgres_ten_minutes --minutes 60

A journal is filled as fast as it takes them; then PostgreSQL comes, a real one that waits for the disk (`fsync=on`), and
as many calls as before go on coming meanwhile. Printed are the time until nothing waits any more, where it went (CPU of
controller and PostgreSQL), and how late the event loop was, on which calls live. `make test` runs a slice of it
(tests/contract/test_store_shipper.py).
"""

from __future__ import annotations

import argparse
import asyncio
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

import asyncpg
import msgspec
import uvloop

from calls.clock import SystemClock
from calls.facts import AnyFact
from cti.store import Journal, Shipper
from tests.figures import tell
from tests.histories import busy_hours, whole_call
from tests.postgres import OWNER, Cluster, running_cluster
from tests.processes import family

CALLS_A_SECOND = 30
FACTS_A_CALL = len(whole_call("call"))

AS_THE_HOTLINE_HAS_IT = ("fsync=on", "synchronous_commit=on", "shared_buffers=64MB", "max_wal_size=512MB")

_BEAT_S = 0.005
_TRICKLE_S = 0.1
_FILL_AT_ONCE = 20_000


class CaughtUp(msgspec.Struct, frozen=True, kw_only=True):
    """How it went. Times in seconds, unless their name says otherwise."""

    waiting: int
    """Facts in the journal as PostgreSQL came."""
    meanwhile: int
    """Facts that came while these were shipped."""
    seconds: float
    controller_cpu: float
    postgres_cpu: float
    late_p50_ms: float
    late_p99_ms: float
    late_max_ms: float
    """Of the event loop."""


async def catch_up(path: Path, dsn: str, cluster: Cluster, facts: int) -> CaughtUp:
    """Fill the journal at `path` with so many facts, ship them and what comes meanwhile, and see that all arrived."""
    journal = Journal(path, "node1", SystemClock())
    coming = busy_hours(2 * facts // FACTS_A_CALL)
    await _fill(journal, coming, facts)
    shipper = Shipper(journal, dsn)
    late: list[float] = []
    before, waiting = _cpu(cluster), journal.committed
    began = time.monotonic()
    tasks = [asyncio.create_task(work) for work in (shipper.run(), _trickle(journal, coming), _beat(late))]
    level = 2 * CALLS_A_SECOND * FACTS_A_CALL * _TRICKLE_S
    await _until(lambda: shipper.problem is None and shipper.behind <= level)
    seconds, after = time.monotonic() - began, _cpu(cluster)
    for task in tasks[1:]:
        task.cancel()
    await journal.flush()
    await _until(lambda: shipper.behind == 0)
    tasks[0].cancel()
    await asyncio.wait(tasks)
    await _all_there(dsn, journal.committed)
    late.sort()
    outcome = CaughtUp(
        waiting=waiting,
        meanwhile=journal.committed - waiting,
        seconds=seconds,
        controller_cpu=after[0] - before[0],
        postgres_cpu=after[1] - before[1],
        late_p50_ms=late[len(late) // 2] * 1000,
        late_p99_ms=late[len(late) * 99 // 100] * 1000,
        late_max_ms=late[-1] * 1000,
    )
    await journal.close()
    return outcome


def tell_all(outcome: CaughtUp) -> None:
    """Print the figures."""
    shipped = outcome.waiting + outcome.meanwhile
    tell(f"postgres away: {outcome.waiting:,} facts waited, caught up after", outcome.seconds, "s")
    tell("postgres away: shipped a second", shipped / outcome.seconds, "facts")
    tell("postgres away: CPU a fact, controller", outcome.controller_cpu / shipped * 1e6, "us")
    tell("postgres away: CPU a fact, PostgreSQL", outcome.postgres_cpu / shipped * 1e6, "us")
    tell("postgres away: event loop late while catching up, median", outcome.late_p50_ms, "ms")
    tell("postgres away: event loop late while catching up, 99 of 100", outcome.late_p99_ms, "ms")
    tell("postgres away: event loop late while catching up, at most", outcome.late_max_ms, "ms")


async def _until(true: Callable[[], bool]) -> None:
    """However long it takes."""
    while not true():  # noqa: ASYNC110 - a shipper wakes nobody
        await asyncio.sleep(_BEAT_S)


async def _fill(journal: Journal, coming: Iterator[AnyFact], facts: int) -> None:
    for _ in range(0, facts, _FILL_AT_ONCE):
        for fact in islice(coming, min(_FILL_AT_ONCE, facts - journal.committed)):
            journal.record(fact)
        await journal.flush()


async def _trickle(journal: Journal, coming: Iterator[AnyFact]) -> None:
    """Calls go on coming."""
    while True:
        for fact in islice(coming, int(CALLS_A_SECOND * FACTS_A_CALL * _TRICKLE_S)):
            journal.record(fact)
        await asyncio.sleep(_TRICKLE_S)


async def _beat(late: list[float]) -> None:
    while True:
        due = time.monotonic() + _BEAT_S
        await asyncio.sleep(_BEAT_S)
        late.append(max(0.0, time.monotonic() - due))


async def _all_there(dsn: str, facts: int) -> None:
    connection = await asyncpg.connect(dsn, timeout=10)
    try:
        numbers = await connection.fetchrow("SELECT count(*), min(seq), max(seq) FROM facts")
        broken = await connection.fetch("SELECT * FROM conservation_violations WHERE law <> 'ends_at_last'")
    finally:
        await connection.close(timeout=10)
    assert numbers is not None
    assert tuple(numbers) == (facts, 1, facts), numbers
    assert broken == []


def _cpu(cluster: Cluster) -> tuple[float, float]:
    """Seconds of CPU so far: of this process, and of PostgreSQL, its sessions that ended included."""
    postmaster = int((cluster.folder / "data" / "postmaster.pid").read_text().split()[0])
    ticks = 0
    for pid in family(postmaster):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        ticks += sum(map(int, fields[11:15] if pid == postmaster else fields[11:13]))
    return time.process_time(), ticks / os.sysconf("SC_CLK_TCK")


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak.postgres_ten_minutes", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    facts = int(parser.parse_args().minutes * 60 * CALLS_A_SECOND * FACTS_A_CALL)
    with running_cluster(*AS_THE_HOTLINE_HAS_IT) as cluster, tempfile.TemporaryDirectory() as folder:
        cluster.create("soak", "template")
        tell_all(uvloop.run(catch_up(Path(folder) / "journal.db", cluster.dsn("soak", OWNER), cluster, facts)))


if __name__ == "__main__":
    main()
