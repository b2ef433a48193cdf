"""Calls back that are owed: one a number, in time, in hours, in turn, and through controllers and boots."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
import pytest

from calls.clock import Instant
from calls.errors import NotPossible
from calls.facts import CallbackEnded, CallbackOwed
from calls.words import Needs
from cti.asterisk.kept import Attempt, KeptCall
from cti.asterisk.promises import Promise, Promises
from cti.followups import FollowUp
from cti.settings import Settings, Trunk
from cti.store import Journal
from cti.watch import Watch
from ivr.hours import Hours
from ivr.line import Callback, Line, Menu, Notice, Queue

NUMBER, OTHER = "+8613800001111", "+8613800002222"
RULES = Callback(attempts=2, again_after_s=60.0, keep_h=24.0)
LINE = Line(
    number="12333",
    version="1",
    name="test",
    welcome="welcome",
    notice=Notice("notice", "1"),
    menu="main",
    menus={"main": Menu("menu.main", {})},
    queues={"cards": Queue({"cards": 1}, 9)},
    person="cards",
    callback=RULES,
)
WEEKDAYS = Hours(weekly={"mon": ("08:30-12:00",)}, statutory=False)
WAYS = (Trunk("demo", match=("127.0.0.1",)), Trunk("out", match=("127.0.0.2",), dial="127.0.0.2:5060"))


class SetClock:
    """A clock that a test sets; both of its faces go together."""

    def __init__(self) -> None:
        self.at = 1000.0
        self.wall = datetime(2026, 1, 5, 1, 0, tzinfo=UTC)  # a Monday, 9:00 in Shanghai

    def now(self) -> Instant:
        return Instant(self.at)

    def utc(self) -> datetime:
        return self.wall

    def go(self, seconds: float) -> None:
        self.at += seconds
        self.wall += timedelta(seconds=seconds)


class House:
    """The promises of one controller, and what they told."""

    def __init__(self, journal: Journal, clock: SetClock, boot: str, line: Line) -> None:
        self.journal, self.clock = journal, clock
        self.promises = Promises(Settings(trunks=WAYS), clock, Watch(journal), journal, boot)
        self.promises.lines = {line.number: line}

    def owe(self, call_id: str = "call1", **changes: object) -> KeptCall:
        """By a call that ends with that."""
        kept = waited(call_id, **changes)
        self.promises.owe(kept, "asked", promised=True)
        self.promises.released(call_id)
        return kept

    async def due(self) -> list[Promise]:
        """What is begun at this moment."""
        begun: list[Promise] = []
        running = asyncio.create_task(self.promises.run(lambda promise, line: begun.append(promise)))
        for _ in range(3):
            await asyncio.sleep(0)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        return begun

    def begin(self, promise: Promise) -> tuple[KeptCall, asyncio.Event]:
        """An attempt, and what tells it that it need not wait any more."""
        attempt = waited(f"{promise.call_id}-back", callback=Attempt(promise.call_id, promise.attempts + 1))
        withdrawn = asyncio.Event()
        self.promises.begun(attempt, withdrawn)
        return attempt, withdrawn

    async def told(self) -> list[tuple[str, str]]:
        await self.journal.flush()
        facts = [stamped.fact for stamped in await self.journal.read_after(0)]
        return [(fact.call_id, fact.outcome) for fact in facts if isinstance(fact, CallbackEnded)]


def waited(call_id: str, **changes: object) -> KeptCall:
    kept = KeptCall(
        call_id=call_id,
        sip_call_id=call_id,
        calling_number=NUMBER,
        line="12333",
        trunk="demo",
        boot_id="boot1",
        arrived_ms=900_000,
        arrived_at=datetime(2026, 1, 5, tzinfo=UTC),
        visits=1,
        needs=Needs({"cards": 1}, "cards"),
        since_ms=950_000,
    )
    return msgspec.structs.replace(kept, **changes)


@asynccontextmanager
async def house(folder: Path, clock: SetClock, boot: str = "boot1", line: Line = LINE) -> AsyncIterator[House]:
    journal = Journal(folder / "journal.db", "node1", clock)
    try:
        yield House(journal, clock, boot, line)
    finally:
        await journal.close()


async def test_what_is_owed_is_due_when_its_call_is_over_with_its_place(tmp_path: Path) -> None:
    async with house(tmp_path, SetClock()) as it:
        it.promises.owe(waited("call1"), "asked", promised=True)
        assert await it.due() == []  # who is on the line cannot be rung
        it.promises.released("call1")
        [promise] = await it.due()
        assert (promise.call_id, promise.visit, promise.since_ms) == ("call1", "call1.1", 950_000)
        it.begin(promise)
        assert await it.due() == []  # one attempt at a time


@pytest.mark.parametrize(
    "changes",
    [{"calling_number": None}, {"calling_number": "+12025550123"}, {"line": "12393"}],
    ids=["withheld", "foreign", "a line that is in no file"],
)
async def test_what_cannot_be_done_is_only_told(tmp_path: Path, changes: dict[str, object]) -> None:
    async with house(tmp_path, SetClock()) as it:
        it.promises.owe(waited("call1", **changes), "asked", promised=True)
        assert (len(it.promises), await it.due()) == (0, [])
        await it.journal.flush()
        facts = [stamped.fact for stamped in await it.journal.read_after(0)]
        assert [fact.call_id for fact in facts if isinstance(fact, CallbackOwed)] == ["call1"]


async def test_a_call_goes_out_by_the_trunk_it_came_by_if_that_can_else_by_the_first_that_can(tmp_path: Path) -> None:
    async with house(tmp_path, SetClock()) as it:
        assert it.promises.way(NUMBER, "demo") == "13800001111@trunk-out"
        assert it.promises.way(NUMBER, "out") == "13800001111@trunk-out"
        assert it.promises.way(None, "out") is None


async def test_one_number_is_owed_one_call_at_its_first_place(tmp_path: Path) -> None:
    async with house(tmp_path, SetClock()) as it:
        it.owe("call1")
        it.owe("call2", since_ms=980_000)
        it.owe("call3", calling_number=OTHER, since_ms=940_000)
        assert [(promise.call_id, promise.since_ms) for promise in await it.due()] == [
            ("call3", 940_000),
            ("call2", 950_000),
        ]
        assert await it.told() == [("call1", "rang_again")]


async def test_one_call_is_owed_one_call_whatever_happens_to_it(tmp_path: Path) -> None:
    async with house(tmp_path, SetClock()) as it:
        assert it.promises.owe(waited("call1"), "asked", promised=True)
        assert it.promises.owe(waited("call1"), "asterisk_died")
        it.promises.released("call1")
        assert [promise.why for promise in await it.due()] == ["asked"]
        await it.journal.flush()
        facts = [stamped.fact for stamped in await it.journal.read_after(0)]
        assert [fact.why for fact in facts if isinstance(fact, CallbackOwed)] == ["asked"]
        assert await it.told() == []


async def test_a_promise_is_broken_after_so_many_tries_each_so_much_later(tmp_path: Path) -> None:
    clock = SetClock()
    async with house(tmp_path, clock) as it:
        it.owe()
        for number in (1, 2):
            [promise] = await it.due()
            attempt, _ = it.begin(promise)
            assert promise.attempts + 1 == number
            it.promises.tried(attempt, reached=False, counts=True)
            it.promises.left(attempt)
            assert await it.due() == []
            clock.go(59)
            assert await it.due() == []
            clock.go(1)
        assert (await it.due(), await it.told()) == ([], [("call1", "not_reached")])


async def test_what_was_the_advisers_doing_is_tried_again_at_once(tmp_path: Path) -> None:
    async with house(tmp_path, SetClock()) as it:
        it.owe()
        attempt, _ = it.begin((await it.due())[0])
        it.promises.tried(attempt, reached=False, counts=False)
        it.promises.left(attempt)
        [promise] = await it.due()
        assert promise.attempts == 0


async def test_what_comes_too_late_is_not_done(tmp_path: Path) -> None:
    clock = SetClock()
    async with house(tmp_path, clock) as it:
        it.owe()
        clock.go(24 * 3600 + 1)
        assert (await it.due(), await it.told()) == ([], [("call1", "too_late")])


async def test_nobody_is_called_outside_the_hours_and_who_waits_then_is_withdrawn(tmp_path: Path) -> None:
    clock = SetClock()
    line = msgspec.structs.replace(LINE, callback=msgspec.structs.replace(RULES, hours=WEEKDAYS))
    async with house(tmp_path, clock, line=line) as it:
        it.owe()
        attempt, withdrawn = it.begin((await it.due())[0])
        clock.go(3 * 3600)  # noon
        assert await it.due() == []
        assert withdrawn.is_set()
        it.promises.left(attempt)
        assert (await it.due(), await it.told()) == ([], [])


@pytest.mark.parametrize(("later_h", "due"), [(0.9, True), (1.1, False), (9.9, False), (10.1, True)])
async def test_nobody_is_rung_at_night_for_what_is_over_an_hour_old(tmp_path: Path, later_h: float, due: bool) -> None:
    clock = SetClock()
    clock.wall = datetime(2026, 1, 5, 14, 0, tzinfo=UTC)  # 22:00 in Shanghai
    async with house(tmp_path, clock) as it:
        it.owe()
        clock.go(later_h * 3600)
        assert bool(await it.due()) is due


async def test_whoever_rings_again_has_the_place_until_that_call_ends(tmp_path: Path) -> None:
    async with house(tmp_path, SetClock()) as it:
        it.owe()
        attempt, withdrawn = it.begin((await it.due())[0])
        assert it.promises.rang_again("call2", NUMBER, "pension") is None  # comes for something else
        taken = it.promises.rang_again("call2", NUMBER, "cards")
        assert taken
        assert withdrawn.is_set()
        assert it.promises.rang_again("call3", NUMBER, "cards") is None  # there is one place
        it.promises.left(attempt)
        assert await it.due() == []
    async with house(tmp_path, SetClock()) as it:  # the next controller
        assert await it.due() == []
        it.promises.released("call2")
        [promise] = await it.due()
        assert it.promises.rang_again("call4", NUMBER, "cards")
        it.promises.answered("call4")
        assert (await it.due(), await it.told()) == ([], [("call1", "rang_again")])
        assert promise.call_id == "call1"


async def test_a_boot_of_the_machine_keeps_the_promise_and_its_order(tmp_path: Path) -> None:
    clock = SetClock()
    async with house(tmp_path, clock) as it:
        it.owe("call1")
        clock.go(100)
        it.owe("call2", calling_number=OTHER, since_ms=1_090_000)
    clock.go(500)
    clock.at = 30.0  # the monotonic clock begins anew
    async with house(tmp_path, clock, boot="boot2") as it:
        promises = await it.due()
        assert [(one.call_id, one.since_ms) for one in promises] == [("call1", -570_000), ("call2", -470_000)]
        assert {one.boot_id for one in promises} == {"boot2"}


async def test_an_attempt_of_what_was_owed_anew_meanwhile_settles_nothing(tmp_path: Path) -> None:
    async with house(tmp_path, SetClock()) as it:
        it.owe("call1")
        attempt, withdrawn = it.begin((await it.due())[0])
        it.owe("call2")
        assert withdrawn.is_set()
        it.promises.tried(attempt, reached=False, counts=True)
        [promise] = await it.due()
        assert (promise.call_id, promise.attempts) == ("call2", 0)


# What advisers owe


OWED = FollowUp(
    id="call1.1",
    kind="promise",
    call_id="call1",
    adviser="8001",
    number=NUMBER,
    line="12333",
    queue="cards",
    topic="",
    note="",
    since=datetime(2026, 1, 4, tzinfo=UTC),
    due_at=datetime(2026, 1, 6, tzinfo=UTC),
)


@pytest.mark.parametrize(
    ("local", "since_h", "may"),
    [((7, 59), 24, False), ((8, 0), 24, True), ((20, 59), 24, True), ((21, 0), 24, False), ((22, 0), 0.9, True)],
)
async def test_an_adviser_rings_nobody_at_night_for_what_is_over_an_hour_old(
    tmp_path: Path, local: tuple[int, int], since_h: float, may: bool
) -> None:
    clock = SetClock()
    clock.wall = datetime(2026, 1, 5, *local, tzinfo=ZoneInfo("Asia/Shanghai"))
    owed = msgspec.structs.replace(OWED, since=clock.wall - timedelta(hours=since_h))
    async with house(tmp_path, clock) as it:
        if may:
            promise = it.promises.follow_up(owed)
            assert (promise.why, promise.needs) == ("follow_up", Needs({"cards": 1}, "cards", urgency="promised"))
        else:
            with pytest.raises(NotPossible, match=r"no time to ring people: .* from 08:00 to 21:00\. Mend: call then"):
                it.promises.follow_up(owed)


async def test_a_lines_own_hours_for_calling_back_hold_for_advisers_too(tmp_path: Path) -> None:
    clock = SetClock()
    line = msgspec.structs.replace(LINE, callback=msgspec.structs.replace(RULES, hours=WEEKDAYS))
    async with house(tmp_path, clock, line=line) as it:
        assert it.promises.follow_up(OWED).trunk == "out"
        clock.go(3 * 3600)  # noon
        with pytest.raises(NotPossible, match="calls by its hours"):
            it.promises.follow_up(OWED)


async def test_what_a_follow_up_came_to_is_told_once_also_by_the_next_controller(tmp_path: Path) -> None:
    clock = SetClock()
    async with house(tmp_path, clock) as it:
        for call_id in ("back1", "back2"):
            it.promises.follows_up(it.promises.follow_up(OWED), call_id)
        it.promises.tried(waited("back1"), reached=True, counts=True)
        it.promises.released("back1")
        assert await it.due() == [], "nobody else goes on with it"
    async with house(tmp_path, clock) as it:
        it.promises.released("back2")
        it.promises.released("back2")
        assert await it.told() == [("call1", "kept"), ("call1", "not_reached")]
