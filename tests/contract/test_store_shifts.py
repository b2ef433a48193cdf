"""What one adviser did today, read from a real PostgreSQL: theirs alone, of this day, up to this instant."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import asyncpg
import msgspec
import pytest

from calls.errors import NotPossible
from calls.facts import (
    AnyFact,
    ConversationEnded,
    RatingKeyed,
    SeatDidNotAnswer,
    SeatState,
    SeatStateChanged,
    Stamped,
)
from cti.store import Shift, Shifts
from cti.store.shifts import read
from cti.store.shipper import write_batch
from tests.histories import arrived, conversation, ended, entered, stamped
from tests.postgres import READER, Cluster

SHANGHAI = ZoneInfo("Asia/Shanghai")
TEN = datetime(2026, 1, 5, 2, 0, tzinfo=UTC)
"""Ten in the morning in Shanghai; the day began at 16:00 UTC."""
MIDNIGHT = datetime(2026, 1, 4, 16, 0, tzinfo=UTC)


@pytest.fixture
async def connection(database: str) -> AsyncIterator[asyncpg.Connection[asyncpg.Record]]:
    connection = await asyncpg.connect(database, timeout=10, command_timeout=10)
    yield connection
    await connection.close(timeout=10)


async def seen(
    connection: asyncpg.Connection[asyncpg.Record], *parts: tuple[datetime, Iterable[AnyFact]], adviser: str = "8002"
) -> Shift:
    """What is read at ten o'clock of these facts, each part at its instant."""
    history: list[Stamped] = []
    for at, facts in parts:
        fresh = stamped(facts, first=len(history) + 1)
        history += [msgspec.structs.replace(fact, at=at) for fact in fresh]
    await write_batch(connection, "node1", "a journal", history)
    return await read(connection, adviser, TEN, SHANGHAI)


def talk(call_id: str, adviser: str = "8002", held_ms: int = 10_000, score: int | None = 5) -> list[AnyFact]:
    """A conversation of 90 s, with points."""
    visit = f"{call_id}.1"
    facts: list[AnyFact] = [arrived(call_id), entered(call_id, visit), *conversation(call_id, visit)]
    facts = [
        msgspec.structs.replace(fact, **({"adviser": adviser} if hasattr(fact, "adviser") else {})) for fact in facts
    ]
    facts = [
        msgspec.structs.replace(fact, held_ms=held_ms) if isinstance(fact, ConversationEnded) else fact
        for fact in facts
    ]
    return [*facts, RatingKeyed(call_id=call_id, visit=visit, adviser=adviser, score=score), ended(call_id, "queued")]


def moved(state: SeatState, seat: str = "1001", adviser: str | None = "8002") -> list[AnyFact]:
    return [SeatStateChanged(seat=seat, adviser=adviser, state=state, reason="")]


def missed(adviser: str = "8002") -> list[AnyFact]:
    why = {"call_id": "m", "visit": "m.1", "seat": "1001", "reason": "no_answer", "rang_ms": 15_000}
    return [SeatDidNotAnswer(adviser=adviser, **why)]  # type: ignore[arg-type]


def ago(seconds: float) -> datetime:
    return TEN - timedelta(seconds=seconds)


async def test_conversations_and_points_are_those_of_this_adviser_on_this_day(
    connection: asyncpg.Connection[asyncpg.Record],
) -> None:
    shift = await seen(
        connection,
        (MIDNIGHT - timedelta(seconds=1), talk("yesterday")),
        (MIDNIGHT, talk("first")),
        (ago(60), talk("second", held_ms=500, score=2)),
        (ago(50), talk("silent", held_ms=0, score=None)),
        (ago(40), talk("another", adviser="8001", score=1)),
        (TEN + timedelta(seconds=1), talk("later")),
    )
    assert (shift.conversations, shift.talked_s, shift.held_s) == (3, 270.0, 10.5)
    assert (shift.ratings, shift.rating_mean) == (2, 3.5)


async def test_time_ready_and_in_wrap_up_is_added_up_over_seats_and_cut_at_midnight_and_now(
    connection: asyncpg.Connection[asyncpg.Record],
) -> None:
    shift = await seen(
        connection,
        (MIDNIGHT - timedelta(seconds=100), moved("ready")),
        (MIDNIGHT + timedelta(seconds=40), moved("talking")),
        (MIDNIGHT + timedelta(seconds=100), moved("wrap_up")),
        (MIDNIGHT + timedelta(seconds=125), moved("not_ready")),
        (MIDNIGHT + timedelta(seconds=200), moved("ready", adviser="8001")),  # somebody else at that seat
        (ago(60), moved("ready", seat="1002")),
        (ago(55), moved("wrap_up", seat="1003", adviser="8001")),
        (ago(50), moved("wrap_up", seat="1002")),
        (ago(20), moved("ready", seat="1002")),
    )
    assert (shift.ready_s, shift.wrap_up_s) == (40.0 + 10.0 + 20.0, 25.0 + 30.0)


async def test_rings_that_nobody_answered_count_for_whose_seat_rang(
    connection: asyncpg.Connection[asyncpg.Record],
) -> None:
    shift = await seen(
        connection,
        (MIDNIGHT - timedelta(seconds=1), missed()),
        (ago(60), missed()),
        (ago(50), missed()),
        (ago(40), missed("8001")),
    )
    assert shift.missed == 2


async def test_a_day_on_which_nothing_was_done_is_all_noughts(connection: asyncpg.Connection[asyncpg.Record]) -> None:
    assert await seen(connection, (ago(60), talk("another", adviser="8001"))) == Shift(
        at=TEN,
        conversations=0,
        talked_s=0.0,
        held_s=0.0,
        wrap_up_s=0.0,
        ready_s=0.0,
        missed=0,
        ratings=0,
        rating_mean=None,
    )


async def test_a_database_that_is_away_or_slow_is_told_in_time_and_found_again(
    cluster: Cluster, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    shifts = Shifts(cluster.dsn(database.partition("@/")[2].partition("?")[0], READER), SHANGHAI)
    await asyncio.to_thread(cluster.stop)
    try:
        with pytest.raises(NotPossible, match="PostgreSQL does not tell"):
            await shifts.read("8002", TEN)
    finally:
        await asyncio.to_thread(cluster.start)
    monkeypatch.setattr("cti.store.shifts.ANSWER_S", 0.2)
    cluster.freeze()
    try:
        with pytest.raises(TimeoutError):
            await shifts.read("8002", TEN)
    finally:
        cluster.thaw()
    monkeypatch.undo()
    assert (await shifts.read("8002", TEN)).conversations == 0
