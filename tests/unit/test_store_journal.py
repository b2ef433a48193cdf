"""The journal: nothing recorded is lost, numbered twice, or in another order, whatever becomes of disk and process."""

from __future__ import annotations

import asyncio
import errno
import re
import resource
import sqlite3
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing, asynccontextmanager, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event

import msgspec
import pytest

from calls.clock import Instant, SystemClock
from calls.errors import NotPossible
from calls.facts import AlarmCleared, AlarmRaised, AnyFact, Stamped
from cti.store import Journal
from cti.store import journal as journal_module
from cti.store import sqlitefile as sqlitefile_module
from cti.store.sqlitefile import SqliteFile
from tests.eventually import eventually
from tests.histories import answered_call, arrived


class SetClock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.passed = timedelta()

    def now(self) -> Instant:
        return Instant(1000 + self.passed.total_seconds())

    def utc(self) -> datetime:
        return datetime(2026, 1, 5, 1, 0, tzinfo=UTC) + self.passed


@asynccontextmanager
async def opened(path: Path, clock: SetClock | None = None) -> AsyncIterator[Journal]:
    journal = Journal(path / "journal.sqlite", "node1", clock or SystemClock())
    try:
        yield journal
    finally:
        await journal.close()


async def all_of(journal: Journal) -> list[Stamped]:
    await journal.flush()
    return await journal.read_after(0, 1_000_000)


def on_disk(path: Path) -> list[Stamped]:
    """What another process finds in the file."""
    connection = sqlite3.connect(path / "journal.sqlite")
    try:
        rows = connection.execute("SELECT body FROM facts ORDER BY seq").fetchall()
    except sqlite3.OperationalError:  # the file is there, and its tables are not yet
        rows = []
    finally:
        connection.close()
    return [msgspec.json.decode(body, type=Stamped) for (body,) in rows]


@contextmanager
def full_disk(path: Path) -> Iterator[None]:
    """No file of this process may grow: what a full disk is to SQLite."""
    largest = max(file.stat().st_size for file in path.iterdir())
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (largest, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def alarm(stamped: Stamped) -> bool:
    return isinstance(stamped.fact, AlarmRaised | AlarmCleared)


def facts(count: int, prefix: str = "call") -> list[AnyFact]:
    return [arrived(f"{prefix}{n}") for n in range(count)]


async def test_a_fact_is_stamped_at_once_and_kept_whole(tmp_path: Path) -> None:
    clock = SetClock()
    async with opened(tmp_path, clock) as journal:
        for fact in answered_call("call1"):
            journal.record(fact)
            clock.passed += timedelta(seconds=1)
        await journal.flush()
        kept = on_disk(tmp_path)
    assert [stamped.fact for stamped in kept] == answered_call("call1")
    assert [stamped.seq for stamped in kept] == list(range(1, len(kept) + 1))
    assert {stamped.node for stamped in kept} == {"node1"}
    assert [stamped.mono_ms for stamped in kept] == [1_000_000 + 1000 * n for n in range(len(kept))]
    assert kept[1].at == datetime(2026, 1, 5, 1, 0, 1, tzinfo=UTC)


async def test_numbers_go_on_without_a_gap_after_a_restart(tmp_path: Path) -> None:
    for run in range(3):
        async with opened(tmp_path) as journal:
            for fact in facts(5, f"run{run}-"):
                journal.record(fact)
    async with opened(tmp_path) as journal:
        kept = await all_of(journal)
    assert [stamped.seq for stamped in kept] == list(range(1, 16))
    assert [stamped.fact for stamped in kept] == [fact for run in range(3) for fact in facts(5, f"run{run}-")]


async def test_the_file_keeps_its_name_for_life(tmp_path: Path) -> None:
    async with opened(tmp_path) as journal:
        first = journal.id
    async with opened(tmp_path) as journal:
        assert journal.id == first
    async with opened(tmp_path / "other") as journal:
        assert journal.id != first


KILLED = """
import asyncio, sys
from pathlib import Path
from calls.clock import SystemClock
from cti.store import Journal
from tests.histories import arrived

async def main():
    journal = Journal(Path(sys.argv[1]), "node1", SystemClock())
    for n in range(1_000_000):
        journal.record(arrived(f"call{n}"))
        if n % 10 == 9:
            await journal.flush()
            print(n + 1, flush=True)

asyncio.run(main())
"""


async def test_what_was_flushed_survives_a_kill(tmp_path: Path) -> None:
    controller = await asyncio.create_subprocess_exec(
        sys.executable, "-c", KILLED, tmp_path / "journal.sqlite", stdout=asyncio.subprocess.PIPE
    )
    assert controller.stdout is not None
    told = [await controller.stdout.readline() for _ in range(50)]
    controller.kill()
    told += [line async for line in controller.stdout]
    await controller.wait()
    promised = max(int(line) for line in told if line.endswith(b"\n"))
    async with opened(tmp_path) as journal:
        kept = await all_of(journal)
        journal.record(arrived("next"))
        await journal.flush()
        assert (await all_of(journal))[-1].seq == len(kept) + 1
    assert len(kept) >= promised
    assert [stamped.seq for stamped in kept] == list(range(1, len(kept) + 1))


DISK_STALLS = """
import asyncio, sys, time
from pathlib import Path
from calls.clock import SystemClock
from cti.store import Journal
from cti.store.sqlitefile import SqliteFile
from tests.histories import arrived

async def main():
    SqliteFile.sync = lambda self: time.sleep(600)
    journal = Journal(Path(sys.argv[1]), "node1", SystemClock())
    for n in range(25):
        journal.record(arrived(f"call{n}"))
        journal.put("turn", n)
    await asyncio.sleep(600)

asyncio.run(main())
"""


async def test_a_kill_while_the_disk_stalls_costs_nothing_that_was_written(tmp_path: Path) -> None:
    controller = await asyncio.create_subprocess_exec(
        sys.executable, "-c", DISK_STALLS, tmp_path / "journal.sqlite", stdout=asyncio.subprocess.PIPE
    )
    try:
        await eventually(lambda: (tmp_path / "journal.sqlite-wal").exists() and len(on_disk(tmp_path)) == 25)
    finally:
        controller.kill()
        await controller.wait()
    async with opened(tmp_path) as journal:
        assert journal.get("turn", int) == 24
        assert [stamped.seq for stamped in await all_of(journal)] == list(range(1, 26))


async def test_readers_see_only_what_no_power_cut_takes_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stalls = Event()
    sync = SqliteFile.sync
    monkeypatch.setattr(SqliteFile, "sync", lambda file: (stalls.wait(), sync(file)))
    async with opened(tmp_path) as journal:
        journal.record(arrived("call1"))
        safe = asyncio.create_task(journal.flush())
        await eventually(lambda: len(on_disk(tmp_path)) == 1)
        assert await journal.read_after(0) == []
        assert not safe.done()
        stalls.set()
        await safe
        assert len(await journal.read_after(0)) == 1


async def test_a_disk_that_fails_is_told_until_it_is_well_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(file: SqliteFile) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(journal_module, "RETRY", timedelta(milliseconds=10))
    async with opened(tmp_path) as journal:
        await journal.flush()
        with monkeypatch.context() as broken:
            broken.setattr(SqliteFile, "sync", fails)
            journal.record(arrived("call1"))
            await eventually(lambda: journal.problem is not None)
            assert re.search(
                r"journal\.sqlite: .* does not come to the disk: .*output error\. Mend: ", journal.problem or ""
            )
        await journal.flush()
        assert journal.problem is None
        assert len(await journal.read_after(0)) == 1


async def test_the_log_is_moved_and_begins_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlitefile_module, "MOVED_EVERY", 5)
    monkeypatch.setattr(sqlitefile_module, "LOG_LIMIT", 20)
    async with opened(tmp_path) as journal:
        for fact in facts(200):
            journal.record(fact)
            await journal.flush()
        assert (tmp_path / "journal.sqlite-wal").stat().st_size < 200 * 4096
        assert len(on_disk(tmp_path)) == 200


async def test_a_reader_follows_what_is_committed(tmp_path: Path) -> None:
    async with opened(tmp_path) as journal, aclosing(journal.follow(0)) as reader:
        for n in range(1, 21):
            journal.record(arrived(f"call{n}"))
            assert [stamped.seq for stamped in await anext(reader)] == [n]


async def test_a_slow_reader_misses_nothing_and_holds_nobody_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal_module, "RECENT", 10)
    async with opened(tmp_path) as journal:
        journal.record(arrived("first"))
        reader = journal.follow(0, limit=7)
        seen = [stamped.seq for stamped in await anext(reader)]
        for n in range(200):  # meanwhile the reader does nothing, and what it wants leaves the memory
            journal.record(arrived(f"call{n}"))
            if n % 5 == 0:
                await journal.flush()
        await journal.flush()
        while len(seen) < 201:
            seen += [stamped.seq for stamped in await anext(reader)]
        await reader.aclose()
    assert seen == list(range(1, 202))


async def test_a_full_disk_is_told_and_nothing_is_lost_by_it(tmp_path: Path) -> None:
    async with opened(tmp_path) as journal:
        journal.record(arrived("before"))
        await journal.flush()
        with full_disk(tmp_path):
            for fact in facts(500):
                journal.record(fact)
            await eventually(lambda: journal.problem is not None)
            assert str(tmp_path) in str(journal.problem)
            assert "Mend: make room" in str(journal.problem)
            assert len(on_disk(tmp_path)) == 1
        await journal.flush()
        assert journal.problem is None
        assert journal.lost == 0
    kept = on_disk(tmp_path)
    assert [stamped.fact for stamped in kept if not alarm(stamped)] == [arrived("before"), *facts(500)]
    assert [stamped.seq for stamped in kept] == list(range(1, 504))


async def test_the_history_tells_when_it_could_not_be_written(tmp_path: Path) -> None:
    clock = SetClock()
    async with opened(tmp_path, clock) as journal:
        await journal.flush()
        with full_disk(tmp_path):
            for fact in facts(500):
                journal.record(fact)
            await eventually(lambda: journal.problem is not None)
            began = clock.utc()
            clock.passed += timedelta(minutes=7)
        await journal.flush()
    raised, cleared = (stamped for stamped in on_disk(tmp_path) if alarm(stamped))
    assert isinstance(raised.fact, AlarmRaised)
    assert (raised.fact.name, raised.fact.subject, raised.at) == ("journal_unwritable", "node1", began)
    assert str(tmp_path) in raised.fact.detail
    assert cleared.fact == AlarmCleared(name="journal_unwritable", subject="node1")
    assert cleared.at - raised.at == timedelta(minutes=7)


async def test_past_the_memory_facts_are_counted_as_lost_and_leave_a_gap(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal_module, "MEMORY_LIMIT", 50)
    async with opened(tmp_path) as journal:
        journal.record(arrived("before"))
        await journal.flush()
        with full_disk(tmp_path):
            for fact in facts(60):
                journal.record(fact)
            await eventually(lambda: journal.problem is not None)
        assert journal.lost == 10
        await journal.flush()
        journal.record(arrived("after"))
    kept = on_disk(tmp_path)
    assert len([stamped for stamped in kept if not alarm(stamped)]) == 52
    assert max(stamped.seq for stamped in kept) == 65
    told = [stamped.fact for stamped in kept if alarm(stamped)]
    assert [type(fact) for fact in told] == [AlarmRaised, AlarmCleared, AlarmRaised]
    assert told[-1] == AlarmRaised(
        name="facts_lost",
        subject="node1",
        detail="10 facts found no room in memory while the journal could not be written.",
    )


async def test_what_a_full_disk_refuses_to_the_end_is_counted(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.sqlite", "node1", SystemClock())
    await journal.flush()
    with full_disk(tmp_path):
        for fact in facts(500):
            journal.record(fact)
        await journal.close()
    assert journal.lost >= 500, "the alarm may still have found room"
    assert all(alarm(stamped) for stamped in on_disk(tmp_path))


async def test_a_fact_after_the_end_is_counted_not_kept(tmp_path: Path) -> None:
    async with opened(tmp_path) as journal:
        journal.record(arrived("call1"))
    journal.record(arrived("too late"))
    assert journal.lost == 1
    assert [stamped.fact for stamped in on_disk(tmp_path)] == [arrived("call1")]


async def test_two_controllers_never_share_a_journal(tmp_path: Path) -> None:
    async with opened(tmp_path):
        with pytest.raises(NotPossible, match=r"another controller is using this journal\. Mend: stop it"):
            Journal(tmp_path / "journal.sqlite", "node1", SystemClock())


async def test_a_damaged_file_is_refused_with_the_mend(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    path.write_bytes(b"this is not a database, whatever its name says" * 100)
    with pytest.raises(NotPossible, match=r"journal\.sqlite: cannot be used as the journal: .* Mend: "):
        Journal(path, "node1", SystemClock())
    path.unlink()
    async with opened(tmp_path):  # the refusal left nothing locked
        pass


async def test_a_fact_of_a_newer_release_stops_the_reader_with_the_mend(tmp_path: Path) -> None:
    async with opened(tmp_path) as journal:
        journal.record(arrived("call1"))
    connection = sqlite3.connect(tmp_path / "journal.sqlite")
    connection.execute("UPDATE facts SET body = replace(body, 'call_arrived', 'call_beamed_in')")
    connection.commit()
    connection.close()
    async with opened(tmp_path) as journal:
        await journal.flush()
        with pytest.raises(NotPossible, match=r"fact 1 cannot be read: .*Mend: run the release that wrote it"):
            await journal.read_after(0)


async def test_half_a_character_from_the_wire_does_not_stop_the_journal(tmp_path: Path) -> None:
    async with opened(tmp_path) as journal:
        journal.record(arrived("call1", number="\ud83d"))
        journal.record(arrived("call2"))
        await journal.flush()
        assert [stamped.seq for stamped in on_disk(tmp_path)] == [1, 2]


async def test_old_facts_go_once_they_are_shipped_and_the_newest_stays(tmp_path: Path) -> None:
    clock = SetClock()
    async with opened(tmp_path, clock) as journal:
        for fact in facts(30):
            journal.record(fact)
        await journal.flush()
        journal.shipped(20)
        clock.passed += journal_module.KEPT + timedelta(minutes=1)
        journal.put("anything", 1)
        await journal.flush()
        await eventually(lambda: on_disk(tmp_path)[0].seq == 21)
        journal.shipped(30)
        clock.passed += timedelta(hours=2)
        journal.put("anything", 2)
        await eventually(lambda: len(on_disk(tmp_path)) == 1)
    async with opened(tmp_path, clock) as journal:
        journal.record(arrived("next"))
        await journal.flush()
        assert [stamped.seq for stamped in on_disk(tmp_path)] == [30, 31]


class Seat(msgspec.Struct, frozen=True):
    state: str
    adviser: str | None = None


async def test_state_outlives_the_controller(tmp_path: Path) -> None:
    async with opened(tmp_path) as journal:
        journal.put("seat/1001", Seat("ready", "8001"))
        journal.put("seat/1002", Seat("ready", "8002"))
        journal.put("seat/1002", Seat("talking", "8002"))
        journal.put("seat/1003", Seat("ready", "8003"))
        journal.forget("seat/1003")
        journal.put("line", "12333")
        assert journal.get("seat/1002", Seat) == Seat("talking", "8002")
    async with opened(tmp_path) as journal:
        assert journal.find("seat/", Seat) == {
            "seat/1001": Seat("ready", "8001"),
            "seat/1002": Seat("talking", "8002"),
        }
        assert journal.get("seat/1003", Seat) is None
        assert journal.get("line", str) == "12333"


async def test_state_that_another_release_wrote_is_ignored(tmp_path: Path) -> None:
    async with opened(tmp_path) as journal:
        journal.put("seat/1001", {"colour": "red"})
        assert journal.get("seat/1001", Seat) is None
        assert journal.find("seat/", Seat) == {}


async def test_a_fact_and_its_state_come_to_the_disk_together_or_not_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commits: list[tuple[int, int]] = []

    def commit(self: SqliteFile, facts: list[object], state: dict[str, object]) -> None:
        commits.append((len(facts), len(state)))

    monkeypatch.setattr(SqliteFile, "commit", commit)
    async with opened(tmp_path) as journal:
        await journal.flush()
        commits.clear()
        for number in range(2000):  # without the block, the thread comes between in some of so many
            with journal.together():
                journal.record(arrived(f"{number}"))
                journal.put(f"call/{number}", number)
        await journal.flush()
        assert sum(facts for facts, _ in commits) == 2000
        assert all(facts == state for facts, state in commits)


async def test_state_is_flushed_too(tmp_path: Path) -> None:
    async with opened(tmp_path) as journal:
        journal.put("promise", "call back +8613800001111")
        await journal.flush()
        connection = sqlite3.connect(tmp_path / "journal.sqlite")
        found = connection.execute("SELECT value FROM state WHERE key = 'promise'").fetchone()
        connection.close()
    assert found == (b'"call back +8613800001111"',)
