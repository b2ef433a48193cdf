"""Tables, laws and figures against real histories: whole ones break no law, mutilated ones always do."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, TypeVar

import asyncpg
import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from calls.facts import (
    AlarmCleared,
    AlarmRaised,
    AnyFact,
    CallArrived,
    CallbackEnded,
    CallEnded,
    CallRefused,
    ConversationEnded,
    FollowUpDone,
    OwedWhy,
    QueueEntered,
    QueueLeft,
    RecordingLost,
    RecordingSealed,
    SeatAnswered,
    SeatState,
    SeatStateChanged,
    Stamped,
    WrappedUp,
)
from cti.recorded import read
from cti.store.shipper import write_batch
from cti.store.tables import metadata
from queues.recorded import Spell, Visit
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
    lost,
    owed,
    refused,
    stamped,
)

T = TypeVar("T")

many = settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])

DUE_ONCE = (
    CallArrived,
    CallRefused,
    CallEnded,
    QueueEntered,
    QueueLeft,
    SeatAnswered,
    ConversationEnded,
    RecordingSealed,
    RecordingLost,
)
"""Facts that a whole history cannot do without."""
NEVER_TWICE = DUE_ONCE[:-2]


def looking_at(
    database: str, facts: Iterable[Stamped], look: Callable[[asyncpg.Connection], Awaitable[T]], size: int = 500
) -> T:
    """Write the facts in batches of `size`, look, and take everything back."""

    async def run() -> T:
        connection = await asyncpg.connect(database, timeout=10, command_timeout=10)
        try:
            undone = connection.transaction()
            await undone.start()
            history = list(facts)
            for first in range(0, len(history), size):
                await write_batch(connection, history[0].node, "a journal", history[first : first + size])
            seen = await look(connection)
            await undone.rollback()
            return seen
        finally:
            await connection.close(timeout=10)

    return asyncio.run(run())


async def broken_laws(connection: asyncpg.Connection) -> list[str]:
    return [row["law"] for row in await connection.fetch("SELECT law FROM conservation_violations ORDER BY law")]


async def every_row(connection: asyncpg.Connection) -> dict[str, list[Any]]:
    names = [name for name in metadata.tables if name != "nodes"]
    return {name: sorted(map(repr, await connection.fetch(f"SELECT * FROM {name}"))) for name in names}


def rows(sql: str) -> Callable[[asyncpg.Connection], Awaitable[list[dict[str, Any]]]]:
    async def look(connection: asyncpg.Connection) -> list[dict[str, Any]]:
        return [dict(row) for row in await connection.fetch(sql)]

    return look


@many
@given(history=histories())
def test_a_whole_history_breaks_no_law(database: str, history: list[AnyFact]) -> None:
    assert looking_at(database, stamped(history), broken_laws) == []


@many
@given(history=histories(), data=st.data())
def test_a_history_with_a_fact_left_out_breaks_one(database: str, history: list[AnyFact], data: st.DataObject) -> None:
    places = [place for place, fact in enumerate(history) if isinstance(fact, DUE_ONCE)]
    place = data.draw(st.sampled_from(places))
    mutilated = history[:place] + history[place + 1 :]
    assert looking_at(database, stamped(mutilated), broken_laws) != []


@many
@given(history=histories(), data=st.data())
def test_a_history_with_a_fact_told_twice_breaks_one(
    database: str, history: list[AnyFact], data: st.DataObject
) -> None:
    told_twice = data.draw(st.sampled_from([fact for fact in history if isinstance(fact, NEVER_TWICE)]))
    assert looking_at(database, stamped([*history, told_twice]), broken_laws) != []


@many
@given(history=histories(), size=st.integers(1, 20))
def test_how_a_history_is_cut_into_batches_does_not_show(database: str, history: list[AnyFact], size: int) -> None:
    facts = stamped(history)
    assert looking_at(database, facts, every_row, size) == looking_at(database, facts, every_row)


def test_a_missing_number_is_seen(database: str) -> None:
    facts = stamped(answered_call("call1"))
    del facts[2]  # a menu step, which no other law misses
    assert looking_at(database, facts, broken_laws) == ["facts_missing"]


def test_calls_still_up_and_visits_still_open_break_no_law(database: str) -> None:
    facts = stamped([arrived("call1"), entered("call1", "visit1")], start=datetime.now(UTC) - timedelta(minutes=5))
    assert looking_at(database, facts, broken_laws) == []


def test_a_recording_may_take_a_minute(database: str) -> None:
    facts = stamped(answered_call("call1")[:-1], start=datetime.now(UTC) - timedelta(seconds=14))
    assert looking_at(database, facts, broken_laws) == []
    assert looking_at(database, stamped(answered_call("call1")[:-1]), broken_laws) == ["conversation_is_recorded"]


@pytest.mark.parametrize(
    ("law", "facts"),
    [
        ("arrives_once", [ended("call1", "machine")]),
        ("ends_at_last", [arrived("call1")]),
        ("queued_means_a_visit", [arrived("call1"), ended("call1", "queued")]),
        (
            "queued_means_a_visit",
            [arrived("call1"), entered("call1", "v"), left("call1", "v", "closed"), ended("call1", "machine")],
        ),
        ("visit_ends_with_its_call", [arrived("call1"), entered("call1", "v"), ended("call1", "queued")]),
        ("visit_of_a_call", [entered("call1", "v")]),
        ("callback_of_a_call", [owed("call1")]),
        ("attempt_of_a_callback", called_back("call1", 1, reached=False)),
        (
            "answered_means_an_answer",
            [arrived("call1"), entered("call1", "v"), conversation("call1", "v")[3], left("call1", "v", "fault")],
        ),
    ],
)
def test_each_law_by_name(database: str, law: str, facts: list[AnyFact]) -> None:
    assert law in looking_at(database, stamped(facts), broken_laws)


def test_half_hours_are_local_and_count_each_visit_where_it_began(database: str) -> None:
    # 1:29:50 UTC is 9:29:50 in Shanghai: the first call's visit begins there, the others in the next half hour.
    start = datetime(2026, 1, 5, 1, 29, 46, tzinfo=UTC)
    waits = [10_000, 20_000, 30_000, 40_000]
    calls = [answered_call(f"call{n}", waited_ms=wait) for n, wait in enumerate(waits)]
    facts = stamped([fact for call in calls for fact in call] + abandoned_call("call9"), start=start)
    look = rows("SELECT * FROM half_hours ORDER BY day, half_hour")
    first, second = looking_at(database, facts, look)
    assert first == {
        "day": date(2026, 1, 5),
        "half_hour": time(9, 0),
        "queue": "cards",
        "offered": 1,
        "answered": 1,
        "abandoned": 0,
        "wait_mean_s": Decimal("10.0"),
        "wait_p90_s": Decimal("10.0"),
        "callbacks_asked": 0,
    }
    assert second == {
        "day": date(2026, 1, 5),
        "half_hour": time(9, 30),
        "queue": "cards",
        "offered": 4,
        "answered": 3,
        "abandoned": 1,
        "wait_mean_s": Decimal("30.0"),
        "wait_p90_s": Decimal("38.0"),
        "callbacks_asked": 0,
    }


def test_midnight_is_where_the_time_zone_has_it(database: str) -> None:
    facts = stamped(abandoned_call("call1"), start=datetime(2026, 1, 5, 15, 59, 57, tzinfo=UTC))
    (row,) = looking_at(database, facts, rows("SELECT day, half_hour, wait_mean_s FROM half_hours"))
    assert row == {"day": date(2026, 1, 6), "half_hour": time(0, 0), "wait_mean_s": None}


def test_a_call_is_laid_out_whole(database: str) -> None:
    facts = stamped(answered_call("call1"))
    (call,) = looking_at(database, facts, rows("SELECT * FROM calls"))
    (visit,) = looking_at(database, facts, rows("SELECT * FROM queue_visits"))
    (recording,) = looking_at(database, facts, rows("SELECT * FROM recordings"))
    assert (call["line"], call["outcome"], call["notice_whole"]) == ("12333", "queued", True)
    assert call["ended_at"] - call["arrived_at"] == timedelta(seconds=12)
    assert (visit["seat"], visit["adviser"], visit["offers"], visit["not_answered"]) == ("1002", "8002", 2, 1)
    assert (visit["outcome"], visit["waited_ms"]) == ("answered", 20_000)
    assert (visit["talked_ms"], visit["held_ms"]) == (90_000, 7000)
    assert (recording["left_dbfs"], recording["right_dbfs"], recording["alarms"]) == (-20.5, None, ["adviser_silent"])
    assert all(column is not None for name, column in call.items() if name not in ("refused_why", "callback_of"))


def test_a_refused_call_is_a_row_too(database: str) -> None:
    facts = stamped([refused("call1"), ended("call1", "refused")])
    (call,) = looking_at(database, facts, rows("SELECT * FROM calls"))
    assert (call["refused_why"], call["outcome"], call["line"]) == ("no such line", "refused", None)


def test_an_owed_callback_says_whom_to_call_and_for_what(database: str) -> None:
    facts = stamped([arrived("call1"), entered("call1", "v"), owed("call1"), arrived("call2"), owed("call2", None)])
    look = rows("SELECT call_id, calling_number, why, queue, skills, promised FROM callbacks_owed ORDER BY call_id")
    known, withheld = looking_at(database, facts, look)
    assert known == {
        "call_id": "call1",
        "calling_number": "+8613800001111",
        "why": "asterisk_died",
        "queue": "cards",
        "skills": '{"cards": 1}',
        "promised": True,
    }
    assert (withheld["calling_number"], withheld["promised"]) == (None, False)


def test_what_was_owed_says_what_came_of_it(database: str) -> None:
    asked = msgspec.structs.replace(owed("call1"), why="asked", visit="v")
    asking: list[AnyFact] = [
        arrived("call1"),
        entered("call1", "v"),
        left("call1", "v", "callback"),
        asked,
        ended("call1", "queued"),
    ]
    tries = called_back("call1", 1, reached=False) + called_back("call1", 2, reached=True)
    facts = stamped([*asking, *tries, CallbackEnded(call_id="call1", outcome="kept", attempts=2)])
    look = rows("SELECT why, visit, outcome, attempts, endings FROM callbacks_owed")
    for size in (1, len(facts)):
        assert looking_at(database, facts, look, size) == [
            {"why": "asked", "visit": "v", "outcome": "kept", "attempts": 2, "endings": 1}
        ]
    tried = looking_at(database, facts, rows("SELECT attempt, reached, reason FROM callback_attempts ORDER BY attempt"))
    assert tried == [
        {"attempt": 1, "reached": False, "reason": "no_answer"},
        {"attempt": 2, "reached": True, "reason": None},
    ]
    offered = looking_at(
        database, facts, rows("SELECT sum(offered) AS n, sum(callbacks_asked) AS asked FROM half_hours")
    )
    assert offered == [{"n": 1, "asked": 1}]  # our own attempts are no offers
    assert looking_at(database, facts, broken_laws) == []


@pytest.mark.parametrize("size", [1, 500])
@pytest.mark.parametrize("by_call", ["back", None])
def test_a_promise_says_when_it_was_done_and_by_which_call(database: str, by_call: str | None, size: int) -> None:
    written: list[AnyFact] = [
        WrappedUp(
            call_id=call,
            visit=f"{call}.1",
            adviser="8001",
            category="社会保障卡",
            topic="社会保障卡激活",
            result="to_call_back",
            note="",
            due_at=datetime(2026, 1, 8, 1, 0, tzinfo=UTC),
        )
        for call in ("done", "open")
    ]
    done = FollowUpDone(call_id="done", visit="done.1", adviser="8001", by_call=by_call)
    facts = stamped([arrived("done"), arrived("open"), *written, done])
    look = rows("SELECT visit, done_at, done_by_call FROM wrap_ups ORDER BY visit")
    assert looking_at(database, facts, look, size) == [
        {"visit": "done.1", "done_at": facts[-1].at, "done_by_call": by_call},
        {"visit": "open.1", "done_at": None, "done_by_call": None},
    ]


@pytest.mark.parametrize("why", ["redial", "follow_up"])
def test_an_adviser_may_call_back_more_than_once_for_the_same(database: str, why: OwedWhy) -> None:
    facts: list[AnyFact] = [*answered_call("call")]
    for number in (1, 2):
        facts.append(msgspec.structs.replace(owed("call"), why=why, promised=False))
        facts += called_back("call", number, reached=number == 2)
        facts.append(CallbackEnded(call_id="call", outcome="kept" if number == 2 else "not_reached", attempts=1))
    assert looking_at(database, stamped(facts), broken_laws) == []


def test_a_day_is_read_again_without_returns_and_without_our_own_calls(database: str) -> None:
    start = datetime(2026, 1, 5, 1, 0, tzinfo=UTC)
    tries = called_back("call2", 1, reached=True)
    asking: list[AnyFact] = [arrived("call2"), entered("call2", "v2"), left("call2", "v2", "callback"), owed("call2")]
    states: list[SeatState] = ["ready", "talking", "wrap_up", "ready", "not_ready", "ready", "logged_out"]
    moves = [SeatStateChanged(seat="1002", adviser="8002", state=state, reason="test") for state in states]
    facts = stamped([*moves, *answered_call("call1"), *abandoned_call("call9"), *asking, *tries], start=start)

    async def look(connection: asyncpg.Connection) -> tuple[list[Visit], list[Spell]]:
        return await read(connection, start, start + timedelta(hours=1))

    visits, spells = looking_at(database, facts, look)
    told = [(visit.needs.queue, visit.talked_s, visit.gave_up) for visit in visits]
    assert told == [("cards", 90.0, False), ("cards", None, True), ("cards", None, False)]
    at_work = [spell for spell in spells if spell.adviser == "8002"]
    assert at_work[0].end_s - at_work[0].begin_s == 4  # until the pause
    assert len(at_work) >= 2


def test_a_lost_recording_says_why(database: str) -> None:
    facts = stamped([*answered_call("call1")[:-1], lost("call1", "call1-visit1")])
    assert looking_at(database, facts, rows("SELECT path, lost_why FROM recordings")) == [
        {"path": None, "lost_why": "disk full"}
    ]


def test_an_alarm_is_over_when_it_is_cleared_and_may_come_back(database: str) -> None:
    raised = AlarmRaised(name="disk_full", subject="recordings", detail="0 bytes left")
    cleared = AlarmCleared(name="disk_full", subject="recordings")
    facts = stamped([cleared, raised, raised, cleared, raised])
    look = rows("SELECT seq, cleared_at FROM alarms ORDER BY seq")
    for size in (1, 5):
        assert looking_at(database, facts, look, size) == [
            {"seq": 2, "cleared_at": facts[3].at},
            {"seq": 3, "cleared_at": facts[3].at},
            {"seq": 5, "cleared_at": None},
        ]


def test_a_seats_spells_follow_each_other(database: str) -> None:
    states: list[SeatState] = ["ready", "talking", "wrap_up", "ready"]
    facts = stamped([SeatStateChanged(seat="1001", adviser="8001", state=state, reason="test") for state in states])
    spells = looking_at(database, facts, rows("SELECT state, lasted_s FROM seat_spells ORDER BY since"))
    assert [(spell["state"], spell["lasted_s"]) for spell in spells] == [
        ("ready", 1),
        ("talking", 1),
        ("wrap_up", 1),
        ("ready", None),
    ]


def test_what_postgres_cannot_store_is_replaced_and_stops_nothing(database: str) -> None:
    facts = stamped([arrived("call\x001", number="\0")])
    (call,) = looking_at(database, facts, rows("SELECT call_id, calling_number FROM calls"))
    assert call == {"call_id": "call\ufffd1", "calling_number": "\ufffd"}
    (fact,) = looking_at(database, facts, rows("SELECT call_id, body->>'calling_number' AS number FROM facts"))
    assert fact == {"call_id": "call\ufffd1", "number": "\ufffd"}


def test_what_only_looks_like_such_a_thing_is_stored_as_it_came(database: str) -> None:
    dialled = ("\\u0000", "\\\\u0000", "\\\x00", "u0000")
    facts = stamped([msgspec.structs.replace(arrived(f"call{n}"), dialled=text) for n, text in enumerate(dialled)])
    found = looking_at(database, facts, rows("SELECT dialled FROM calls ORDER BY call_id"))
    kept = looking_at(database, facts, rows("SELECT body->>'dialled' AS dialled FROM facts ORDER BY seq"))
    assert found == kept == [{"dialled": text.replace("\0", "\ufffd")} for text in dialled]
