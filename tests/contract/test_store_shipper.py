"""The shipper: every fact in PostgreSQL exactly once, whatever is killed, frozen or sent twice on the way."""

from __future__ import annotations

import asyncio
import random
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import asyncpg
import pytest

from calls.clock import SystemClock
from cti.store import Journal, Shipper, migrate
from cti.store import shipper as shipper_module
from cti.store.shipper import write_batch
from tests.eventually import PATIENCE_S, ended, eventually
from tests.histories import answered_call, arrived
from tests.postgres import OWNER, Cluster
from tests.processes import held
from tests.proxy import Proxy
from tests.soak.postgres_ten_minutes import catch_up, tell_all


@asynccontextmanager
async def running(shipper: Shipper) -> AsyncIterator[None]:
    """Ship until the end of the block; leaving it is what a kill looks like to PostgreSQL."""
    task = asyncio.create_task(shipper.run())
    try:
        yield
    finally:
        await ended([task])


@pytest.fixture
async def journal(tmp_path: Path) -> AsyncIterator[Journal]:
    opened = Journal(tmp_path / "journal.sqlite", "node1", SystemClock())
    yield opened
    await opened.close()


@pytest.fixture
def outage(cluster: Cluster) -> Iterator[Cluster]:
    """The cluster, for a test that takes it away; it is there again afterwards."""
    yield cluster
    cluster.thaw()


async def query(dsn: str, sql: str) -> list[tuple[object, ...]]:
    connection = await asyncpg.connect(dsn, timeout=10, command_timeout=10)
    try:
        return [tuple(row) for row in await connection.fetch(sql)]
    finally:
        await connection.close(timeout=10)


def record_calls(journal: Journal, first: int, count: int) -> None:
    for n in range(first, first + count):
        for fact in answered_call(f"call{n}"):
            journal.record(fact)


async def assert_exactly_once(journal: Journal, dsn: str) -> None:
    """Every fact of the journal is there once, and the tables made of them say the same."""
    recorded = await journal.read_after(0, 1_000_000)
    assert await query(dsn, "SELECT seq FROM facts ORDER BY seq") == [(fact.seq,) for fact in recorded]
    assert await query(dsn, "SELECT * FROM conservation_violations") == []
    calls = sum(fact.fact.__class__.__name__ == "CallArrived" for fact in recorded)
    counts = "SELECT (SELECT count(*) FROM calls), (SELECT count(*) FROM queue_visits), (SELECT count(*) FROM ratings)"
    assert await query(dsn, counts) == [(calls, calls, calls)]
    assert await query(dsn, "SELECT DISTINCT offers, not_answered, conversations FROM queue_visits") == [(2, 1, 1)]


def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give up ten times sooner, so that a test need not wait."""
    for limit in ("ANSWER_TIMEOUT", "BATCH_TIMEOUT", "HEARTBEAT"):
        monkeypatch.setattr(shipper_module, limit, getattr(shipper_module, limit) / 10)


async def shipped(shipper: Shipper, journal: Journal) -> None:
    await journal.flush()
    await eventually(lambda: shipper.problem is None and shipper.behind == 0)


async def test_what_happens_is_in_postgres_and_the_journal_is_told(journal: Journal, database: str) -> None:
    shipper = Shipper(journal, database)
    record_calls(journal, 0, 3)
    await journal.flush()
    assert shipper.behind == 3 * len(answered_call("x"))
    async with running(shipper):
        await shipped(shipper, journal)
        record_calls(journal, 3, 100)
        await shipped(shipper, journal)
    assert journal.shipped_upto == journal.committed
    await assert_exactly_once(journal, database)


async def test_a_shipper_killed_again_and_again_ships_everything_once(journal: Journal, database: str) -> None:
    luck = random.Random(12333)
    for run in range(25):
        record_calls(journal, run * 20, 20)
        await journal.flush()
        async with running(Shipper(journal, database)):
            for _ in range(luck.randrange(60)):  # somewhere: while connecting, within a batch, or after it
                await asyncio.sleep(0)
            await asyncio.sleep(luck.random() / 100)
    shipper = Shipper(journal, database)
    async with running(shipper):
        await shipped(shipper, journal)
    await assert_exactly_once(journal, database)


async def test_connections_cut_in_the_middle_of_a_batch_lose_and_double_nothing(
    journal: Journal, database: str, cluster: Cluster
) -> None:
    shipper = Shipper(journal, database)
    cut = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = $1 AND pid <> pg_backend_pid()"
    knife = await asyncpg.connect(cluster.dsn(), timeout=10, command_timeout=10)
    name = database.partition("@/")[2].partition("?")[0]
    async with running(shipper):
        for run in range(10):
            record_calls(journal, run * 100, 100)
            await journal.flush()
            await knife.fetchval(cut, name)
        await shipped(shipper, journal)
    await knife.close(timeout=10)
    await assert_exactly_once(journal, database)


async def test_two_shippers_at_once_ship_everything_once(journal: Journal, database: str) -> None:
    first, second = Shipper(journal, database), Shipper(journal, database)
    async with running(first), running(second):
        for run in range(20):
            record_calls(journal, run * 10, 10)
            await journal.flush()
        await shipped(first, journal)
        await shipped(second, journal)
    await assert_exactly_once(journal, database)


async def test_a_batch_sent_twice_counts_once(journal: Journal, database: str) -> None:
    record_calls(journal, 0, 10)
    await journal.flush()
    facts = await journal.read_after(0, 1000)
    connection = await asyncpg.connect(database, timeout=10, command_timeout=10)
    for first, last in ((0, 50), (0, 50), (20, 90), (0, 140), (130, 140)):
        await write_batch(connection, journal.node, journal.id, facts[first:last])
    await connection.close(timeout=10)
    await assert_exactly_once(journal, database)


CONTROLLER = """
import asyncio, sys
from pathlib import Path
from calls.clock import SystemClock
from cti.store import Journal, Shipper
from tests.histories import answered_call

async def main():
    journal = Journal(Path(sys.argv[1]), "node1", SystemClock())
    async with asyncio.TaskGroup() as group:
        group.create_task(Shipper(journal, sys.argv[2]).run())
        print("ready", flush=True)
        for n in range(1_000_000):
            for fact in answered_call(f"{sys.argv[3]}-{n}"):
                journal.record(fact)
            await journal.flush()

asyncio.run(main())
"""


async def test_a_controller_killed_while_it_ships_loses_and_doubles_nothing(tmp_path: Path, database: str) -> None:
    path = tmp_path / "journal.sqlite"
    for run in range(3):
        controller = await asyncio.create_subprocess_exec(
            sys.executable, "-c", CONTROLLER, path, database, f"run{run}", stdout=asyncio.subprocess.PIPE
        )
        assert controller.stdout is not None
        await controller.stdout.readline()

        async def some_arrived(run: int = run) -> bool:
            return len(await query(database, f"SELECT FROM calls WHERE call_id LIKE 'run{run}-%'")) > 30

        await eventually(some_arrived)
        controller.kill()
        await controller.wait()
    journal = Journal(path, "node1", SystemClock())
    shipper = Shipper(journal, database)
    async with running(shipper):
        await shipped(shipper, journal)
    recorded = await journal.read_after(0, 1_000_000)
    await journal.close()
    assert [fact.seq for fact in recorded] == list(range(1, len(recorded) + 1))
    assert await query(database, "SELECT count(*) FROM facts") == [(len(recorded),)]
    # The kill may fall between two facts of one call; that call, and nothing else, is still up.
    assert await query(database, "SELECT facts FROM nodes WHERE facts <> last_seq") == []
    assert await query(database, "SELECT * FROM calls WHERE arrivals <> 1 OR endings > 1") == []
    assert len(await query(database, "SELECT FROM calls WHERE ended_at IS NULL")) <= 3


async def test_postgres_stopped_for_a_while(journal: Journal, database: str, outage: Cluster) -> None:
    shipper = Shipper(journal, database)
    async with running(shipper):
        record_calls(journal, 0, 10)
        await shipped(shipper, journal)
        await asyncio.to_thread(outage.stop)
        try:
            record_calls(journal, 10, 200)
            await journal.flush()
            await eventually(lambda: str(shipper.problem).startswith("PostgreSQL takes no facts: "))
            assert shipper.behind > 0
        finally:
            await asyncio.to_thread(outage.start)
        await shipped(shipper, journal)
    await assert_exactly_once(journal, database)


async def test_what_an_outage_left_is_shipped_while_calls_go_on(
    tmp_path: Path, database: str, cluster: Cluster
) -> None:
    """A slice of `python -m tests.soak.postgres_ten_minutes`, with its own look at what arrived."""
    tell_all(await catch_up(tmp_path / "journal.sqlite", database, cluster, 5000))


async def test_postgres_stopped_in_a_quiet_hour_is_noticed_too(
    journal: Journal, database: str, outage: Cluster
) -> None:
    shipper = Shipper(journal, database)
    async with running(shipper):
        await eventually(lambda: shipper.problem is None)
        await asyncio.to_thread(outage.stop)
        try:
            await eventually(lambda: shipper.problem is not None)
        finally:
            await asyncio.to_thread(outage.start)
        await eventually(lambda: shipper.problem is None)


async def test_postgres_frozen_is_given_up_and_taken_up_again(
    journal: Journal, database: str, outage: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    impatient(monkeypatch)
    shipper = Shipper(journal, database)
    async with running(shipper):
        record_calls(journal, 0, 10)
        await shipped(shipper, journal)
        outage.freeze()
        record_calls(journal, 10, 200)
        await journal.flush()
        await eventually(lambda: shipper.problem == "PostgreSQL takes no facts: no answer in time")
        outage.thaw()
        await shipped(shipper, journal)
    await assert_exactly_once(journal, database)


async def test_attempts_at_a_frozen_postgres_leave_nothing_behind(
    journal: Journal, database: str, outage: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shipper_module, "ANSWER_TIMEOUT", timedelta(milliseconds=20))
    monkeypatch.setattr(shipper_module, "LAST_RETRY", timedelta(milliseconds=20))
    tried = 0

    def failed(self: Shipper, error: BaseException) -> None:
        nonlocal tried
        tried += 1

    monkeypatch.setattr(Shipper, "_failed", failed)
    outage.freeze()
    async with running(Shipper(journal, database)):
        await eventually(lambda: tried > 5)
        before = held()
        await eventually(lambda: tried > 25)
        after = held()
    assert all(late - early < 10 for early, late in zip(before, after, strict=True)), (before, after)


@pytest.mark.parametrize("seed", range(4))
async def test_a_connection_that_is_swallowed_at_any_byte_loses_and_doubles_nothing(
    journal: Journal, database: str, cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    """The server goes on waiting for the rest of a batch; the mark is free again when its own time-out has passed."""
    impatient(monkeypatch)
    luck = random.Random(seed)
    port = ".s.PGSQL.5432"
    async with Proxy(tmp_path / port, cluster.folder / port) as proxy:
        shipper = Shipper(journal, database.replace(str(cluster.folder), str(tmp_path)))
        record_calls(journal, 0, 100)
        await journal.flush()
        await proxy.swallow(after=luck.randrange(1, 200_000))
        async with running(shipper):
            await eventually(lambda: shipper.problem == "PostgreSQL takes no facts: no answer in time")
            await proxy.pass_on()
            await shipped(shipper, journal)
            await proxy.freeze()
            record_calls(journal, 100, 20)
            await eventually(lambda: shipper.problem == "PostgreSQL takes no facts: no answer in time")
            await proxy.pass_on()
            await shipped(shipper, journal)
            await proxy.refuse()
            await eventually(lambda: shipper.problem is not None)
            record_calls(journal, 120, 20)
            await proxy.pass_on()
            await shipped(shipper, journal)
    await assert_exactly_once(journal, database)


async def test_a_shipper_whose_server_is_silent_can_be_stopped(
    journal: Journal, database: str, cluster: Cluster, tmp_path: Path
) -> None:
    port = ".s.PGSQL.5432"
    async with Proxy(tmp_path / port, cluster.folder / port) as proxy:
        shipper = Shipper(journal, database.replace(str(cluster.folder), str(tmp_path)))
        record_calls(journal, 0, 100)
        await journal.flush()
        await proxy.swallow(after=100_000)
        task = asyncio.create_task(shipper.run())
        await eventually(lambda: proxy.lost > 0)
        task.cancel()
        await asyncio.wait_for(asyncio.wait([task]), PATIENCE_S)
        assert task.cancelled()


async def test_a_slow_postgres_is_given_smaller_batches_until_it_gets_on(
    journal: Journal, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    impatient(monkeypatch)
    await query(
        database,
        "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(0.002); RETURN NEW; END'",
    )
    await query(database, "CREATE TRIGGER slow BEFORE INSERT ON facts FOR EACH ROW EXECUTE FUNCTION slow()")
    shipper = Shipper(journal, database)
    record_calls(journal, 0, 20)
    async with running(shipper):
        await shipped(shipper, journal)
    await assert_exactly_once(journal, database)


async def test_what_nobody_foresaw_is_told_and_tried_again(
    journal: Journal, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fact that cannot be encoded, say: it must not end the hotline with the shipper."""

    async def odd(*_: object) -> None:
        raise ValueError("a fact nobody foresaw")

    monkeypatch.setattr(shipper_module, "write_batch", odd)
    shipper = Shipper(journal, database)
    record_calls(journal, 0, 1)
    async with running(shipper):
        await eventually(lambda: shipper.problem == "PostgreSQL takes no facts: a fact nobody foresaw")
        monkeypatch.undo()
        await shipped(shipper, journal)
    await assert_exactly_once(journal, database)


async def test_a_database_without_tables_is_a_problem_until_it_is_migrated(
    journal: Journal, empty_database: str
) -> None:
    shipper = Shipper(journal, empty_database)
    record_calls(journal, 0, 1)
    async with running(shipper):
        await eventually(lambda: "nodes" in str(shipper.problem))
        await migrate(empty_database)
        await shipped(shipper, journal)
    await assert_exactly_once(journal, empty_database)


async def test_another_journal_under_the_same_name_is_refused(tmp_path: Path, journal: Journal, database: str) -> None:
    shipper = Shipper(journal, database)
    journal.record(arrived("call1"))
    async with running(shipper):
        await shipped(shipper, journal)
    stranger = Journal(tmp_path / "stranger.sqlite", "node1", SystemClock())
    stranger.record(arrived("call2"))
    shipper = Shipper(stranger, database)
    async with running(shipper):
        await eventually(lambda: "come from another journal file" in str(shipper.problem))
        assert "Mend: give this node a name of its own" in str(shipper.problem)
    await stranger.close()
    assert await query(database, "SELECT call_id FROM calls") == [("call1",)]


async def test_an_emptied_database_gets_what_the_journal_still_has(
    journal: Journal, database: str, cluster: Cluster
) -> None:
    shipper = Shipper(journal, database)
    record_calls(journal, 0, 5)
    async with running(shipper):
        await shipped(shipper, journal)
    assert database.startswith(f"postgresql://{OWNER}@")
    await query(database, "TRUNCATE nodes, facts, calls, queue_visits, menu_steps, recordings, ratings")
    shipper = Shipper(journal, database)
    async with running(shipper):
        await shipped(shipper, journal)
    await assert_exactly_once(journal, database)
