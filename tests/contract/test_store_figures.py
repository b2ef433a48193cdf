"""The wallboard's figures against real histories: what each counts, up to which instant, and what the view says of the same."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import asyncpg
import msgspec
import pytest
from hypothesis import HealthCheck, given, settings

from calls.errors import NotPossible
from calls.facts import AnyFact, CallEnded, QueueEntered, QueueLeft, Stamped
from cti.store.figures import Days, Figures, HalfHour, read
from cti.store.shipper import write_batch
from tests.histories import (
    abandoned_call,
    answered_call,
    arrived,
    called_back,
    conversation,
    ended,
    entered,
    histories,
    left,
    owed,
    refused,
    stamped,
)
from tests.postgres import READER, Cluster

SHANGHAI = ZoneInfo("Asia/Shanghai")
TEN = datetime(2026, 1, 5, 2, 0, tzinfo=UTC)
"""Ten in the morning of a Monday in Shanghai."""

many = settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])


def figures(database: str, facts: Iterable[Stamped], now: datetime, zone: ZoneInfo = SHANGHAI) -> tuple[Figures, int]:
    """What is read of these facts at that instant, and how many offers `half_hours` has; everything is taken back."""

    async def run() -> tuple[Figures, int]:
        connection = await asyncpg.connect(database, timeout=10, command_timeout=10)
        try:
            undone = connection.transaction()
            await undone.start()
            history = list(facts)
            await write_batch(connection, history[0].node, "a journal", history)
            seen = await read(connection, now, zone)
            offered = await connection.fetchval("SELECT coalesce(sum(offered), 0)::int FROM half_hours")
            await undone.rollback()
            return seen, offered
        finally:
            await connection.close(timeout=10)

    return asyncio.run(run())


def at(start: datetime, facts: list[AnyFact], first: int = 1) -> list[Stamped]:
    """The first of these facts at that instant, the others a second after each other."""
    return [
        msgspec.structs.replace(fact, at=start + timedelta(seconds=place))
        for place, fact in enumerate(stamped(facts, first=first))
    ]


def all_of(*parts: tuple[datetime, list[AnyFact]]) -> list[Stamped]:
    """These facts from these instants on, as one journal."""
    found: list[Stamped] = []
    for start, facts in parts:
        found += at(start, facts, len(found) + 1)
    return found


def test_each_caller_counts_once_by_what_became_of_the_call(database: str) -> None:
    nine = TEN - timedelta(minutes=50)
    elsewhere: list[AnyFact] = [
        arrived("on"),
        entered("on", "on-1"),
        left("on", "on-1", "overflow"),
        entered("on", "on-2", "general"),
        *conversation("on", "on-2", 40_000),
        ended("on", "queued"),
    ]
    facts = all_of(
        (nine, answered_call("quick", waited_ms=20_000)),
        (nine, answered_call("just", waited_ms=30_000)),
        (nine, elsewhere),
        (nine, abandoned_call("gone")),
        (nine, [arrived("self"), ended("self", "machine")]),
        (nine, [arrived("early"), ended("early", "abandoned_menu")]),
        (nine, [refused("no"), ended("no", "refused")]),
        (nine, [arrived("night"), entered("night", "v"), left("night", "v", "closed"), ended("night", "queued")]),
        (
            nine,
            [arrived("due"), entered("due", "w"), left("due", "w", "callback"), owed("due"), ended("due", "queued")],
        ),
        (nine, called_back("due", 1, reached=True)),
        (TEN - timedelta(seconds=20), [arrived("waits"), entered("waits", "x")]),
    )
    seen, _ = figures(database, facts, TEN)
    today = seen.today
    assert (today.day, today.arrivals, today.machine, today.left_early) == (date(2026, 1, 5), 10, 1, 1)
    assert (today.offered, today.answered, today.abandoned) == (7, 3, 1)
    assert (today.in_time, today.undecided, today.wait_mean_s) == (2, 1, 30.0)
    assert seen.service_level == 2 / 6
    assert seen.half_hours == (HalfHour("09:00", 6, 3, 1), HalfHour("09:30", 1, 0, 0))
    assert (seen.yesterday.arrivals, seen.last_week.arrivals) == (0, 0)


@pytest.mark.parametrize(("waited", "undecided", "level"), [(29, 1, None), (31, 0, 0.0)])
def test_whoever_waits_too_long_already_is_missed(
    database: str, waited: int, undecided: int, level: float | None
) -> None:
    facts = all_of((TEN - timedelta(seconds=waited + 1), [arrived("waits"), entered("waits", "x")]))
    seen, _ = figures(database, facts, TEN)
    assert (seen.today.undecided, seen.service_level) == (undecided, level)


def test_of_a_caller_who_is_passed_on_the_first_wait_counts(database: str) -> None:
    passed_on: list[AnyFact] = [
        arrived("on"),
        entered("on", "on-1"),
        *conversation("on", "on-1", 40_000),
        entered("on", "on-2", "general"),
        *conversation("on", "on-2", 5_000),
        entered("on", "on-3", "general"),
        left("on", "on-3", "abandoned_waiting"),
        ended("on", "queued"),
    ]
    today = figures(database, at(TEN - timedelta(minutes=5), passed_on), TEN)[0].today
    assert (today.offered, today.answered, today.abandoned) == (1, 1, 0)
    assert (today.in_time, today.wait_mean_s) == (0, 40.0)


def test_the_days_before_stand_as_they_stood_at_this_time_of_day(database: str) -> None:
    facts = all_of(
        (TEN - timedelta(days=1, minutes=10), answered_call("before", waited_ms=5000)),
        (TEN - timedelta(days=1, seconds=6), answered_call("then", waited_ms=5000)),
        (TEN - timedelta(days=1, seconds=2), abandoned_call("waiting")),
        (TEN - timedelta(days=1) + timedelta(seconds=1), answered_call("later")),
        (TEN - timedelta(days=7, minutes=10), abandoned_call("gone")),
        (TEN - timedelta(days=6, minutes=10), abandoned_call("another day")),
        (TEN - timedelta(hours=10, seconds=5), [arrived("late"), ended("late", "abandoned_menu")]),
    )
    seen, _ = figures(database, facts, TEN)
    yesterday, last_week = seen.yesterday, seen.last_week
    assert (yesterday.day, last_week.day) == (date(2026, 1, 4), date(2025, 12, 29))
    assert (yesterday.arrivals, yesterday.offered, yesterday.answered, yesterday.abandoned) == (3, 2, 1, 0)
    assert (last_week.arrivals, last_week.abandoned) == (1, 1)
    assert (seen.today.arrivals, seen.service_level, seen.half_hours) == (0, None, ())


def test_a_day_begins_where_the_time_zone_has_midnight(database: str) -> None:
    facts = all_of((datetime(2026, 1, 4, 16, 0, tzinfo=UTC), abandoned_call("first of the day")))
    shanghai, _ = figures(database, facts, TEN)
    assert shanghai.half_hours == (HalfHour("00:00", 1, 0, 1),)
    berlin, _ = figures(database, facts, TEN, ZoneInfo("Europe/Berlin"))
    assert (berlin.today.arrivals, berlin.yesterday.arrivals) == (0, 0)  # at 17:00 on the day before; now it is 3:00


@many
@given(history=histories())
def test_nobody_is_counted_twice_or_forgotten(database: str, history: list[AnyFact]) -> None:
    """Of whole calls within one day: each is in one place, and the half hours are the day."""
    facts = at(TEN - timedelta(hours=9), history)
    seen, offers = figures(database, facts, TEN)
    today = seen.today
    ends = {fact.call_id: fact.outcome for fact in history if isinstance(fact, CallEnded)}
    ours = {call_id for call_id, outcome in ends.items() if outcome == "called_back"}
    theirs = ends.keys() - ours
    by = Counter[str](ends[call_id] for call_id in theirs)
    assert today.arrivals == len(theirs)
    assert today.machine == by["machine"]
    assert today.left_early == sum(by[f"abandoned_{step}"] for step in ("hold", "notice", "menu"))
    assert today.offered == by["queued"]
    left = [fact for fact in history if isinstance(fact, QueueLeft) and fact.call_id not in ours]
    talked = {fact.call_id for fact in left if fact.outcome == "answered"}
    assert today.answered == len(talked)
    gave_up = {fact.call_id for fact in left if fact.outcome in ("abandoned_waiting", "abandoned_ringing")}
    assert today.abandoned == len(gave_up - talked)
    assert today.undecided == 0
    for name in ("offered", "answered", "abandoned"):
        assert sum(getattr(one, name) for one in seen.half_hours) == getattr(today, name)
    visits = [fact for fact in history if isinstance(fact, QueueEntered) and fact.call_id not in ours]
    again = len(visits) - len({fact.call_id for fact in visits})
    assert offers == today.offered + again, "the view counts visits"


async def test_whoever_may_only_read_can_read_it(cluster: Cluster, database: str) -> None:
    name = database.partition("@/")[2].partition("?")[0]
    seen = await Days(cluster.dsn(name, READER), SHANGHAI).read(TEN)
    assert (seen.at, seen.today.arrivals, seen.service_level) == (TEN, 0, None)


async def test_a_database_that_is_away_is_told_and_found_again(cluster: Cluster, database: str) -> None:
    name = database.partition("@/")[2].partition("?")[0]
    days = Days(cluster.dsn(name, READER), SHANGHAI)
    await asyncio.to_thread(cluster.stop)
    try:
        with pytest.raises(NotPossible, match="PostgreSQL does not tell"):
            await days.read(TEN)
    finally:
        await asyncio.to_thread(cluster.start)
    assert (await days.read(TEN)).today.arrivals == 0


async def test_a_database_that_does_not_answer_is_left_in_time(cluster: Cluster, database: str) -> None:
    name = database.partition("@/")[2].partition("?")[0]
    days = Days(cluster.dsn(name, READER), SHANGHAI)
    cluster.freeze()
    try:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await days.read(TEN)
    finally:
        cluster.thaw()
    assert (await days.read(TEN)).today.arrivals == 0
