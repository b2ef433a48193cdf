"""Whom an adviser is to call: promised, or by voice messages they can answer; done by the call that reached the citizen."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from calls.clock import SystemClock
from calls.errors import NotPossible
from calls.facts import AnyFact, FollowUpDone, VoiceMessageAnswered, VoiceMessageLeft, WrappedUp
from cti.desk.feed import Form
from cti.followups import FollowUps
from cti.messages import Messages
from cti.store import Journal
from ivr.line import Line, Menu, Notice, Queue
from tests.desk import HOTLINE

DAY = datetime(2026, 1, 8, 1, 0, tzinfo=UTC)
PROMISING = Form(
    visit="c0.1",
    call_id="c0",
    adviser="8001",
    number="+8613800001111",
    queue="cards",
    line="12333",
    begun_at=DAY - timedelta(days=3),
)
PROMISED = WrappedUp(
    call_id="c0",
    visit="c0.1",
    adviser="8001",
    category="社会保障卡",
    topic="社会保障卡激活",
    result="to_call_back",
    note="查到再告诉他",
    due_at=DAY,
)
LINE = Line(
    number="12333",
    version="1",
    name="test",
    welcome="welcome",
    notice=Notice("notice", "1"),
    menu="main",
    menus={"main": Menu("menu.main", {})},
    queues={"cards": Queue({"cards": 2}, 9), "pension": Queue({"pension": 1}, 9)},
    person="cards",
)
LEFT = VoiceMessageLeft(
    call_id="c5",
    message="c5.m1",
    line="12333",
    about="cards",
    calling_number="+8613900002222",
    begun_at=DAY - timedelta(days=2),
    length_ms=9000,
    spoken_ms=8000,
    due_at=DAY - timedelta(days=1),
)


class Site:
    """One controller after the other on one journal."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.facts: list[AnyFact] = []

    def record(self, fact: AnyFact, at: datetime | None = None) -> None:
        self.facts.append(fact)

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[tuple[FollowUps, Messages]]:
        clock = SystemClock()
        journal = Journal(self.folder / "journal.db", "node", clock)
        messages = Messages(self, journal, clock)
        hotline = msgspec.structs.replace(HOTLINE, lines={"12333": LINE})
        try:
            yield FollowUps(self, journal, clock, lambda: messages, lambda: hotline), messages
        finally:
            await journal.close()


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


def ids(follow_ups: FollowUps, adviser: str = "8001") -> list[str]:
    return [owed.id for owed in follow_ups.of(adviser)]


async def test_what_is_promised_is_listed_for_its_adviser_also_by_the_next_controller(site: Site) -> None:
    async with site.opened() as (follow_ups, _):
        later = msgspec.structs.replace(PROMISED, visit="c1.1", due_at=DAY + timedelta(days=1))
        follow_ups.wrapped_up(msgspec.structs.replace(PROMISING, visit="c1.1"), later)
        follow_ups.wrapped_up(PROMISING, PROMISED)
        follow_ups.wrapped_up(
            msgspec.structs.replace(PROMISING, visit="c2.1"),
            msgspec.structs.replace(PROMISED, visit="c2.1", result="answered", due_at=None),
        )
    async with site.opened() as (follow_ups, _):
        assert ids(follow_ups) == ["c0.1", "c1.1"]
        assert ids(follow_ups, "8002") == []
        owed = follow_ups.of("8001")[0]
        assert (owed.kind, owed.number, owed.line, owed.queue) == ("promise", "+8613800001111", "12333", "cards")
        assert (owed.topic, owed.note, owed.due_at) == ("社会保障卡激活", "查到再告诉他", DAY)
        assert "1111" not in repr(owed)
        assert "查到" not in repr(owed)


async def test_the_adviser_says_that_it_is_done_and_nobody_else_may(site: Site) -> None:
    async with site.opened() as (follow_ups, _):
        follow_ups.wrapped_up(PROMISING, PROMISED)
        with pytest.raises(NotPossible, match="you owe no such call"):
            follow_ups.done("8002", "c0.1")
        follow_ups.done("8001", "c0.1")
        with pytest.raises(NotPossible, match="you owe no such call"):
            follow_ups.done("8001", "c0.1")
    async with site.opened() as (follow_ups, _):
        assert ids(follow_ups) == []
    assert site.facts == [FollowUpDone(call_id="c0", visit="c0.1", adviser="8001", by_call=None)]


@pytest.mark.parametrize("said_so", [False, True])
async def test_the_call_that_reached_the_citizen_is_written_down_and_it_is_done(site: Site, said_so: bool) -> None:
    calling = msgspec.structs.replace(PROMISING, visit="back.1", call_id="back", follow_up="c0.1")
    wrapped = msgspec.structs.replace(PROMISED, visit="back.1", call_id="back", result="answered", due_at=None)
    async with site.opened() as (follow_ups, _):
        follow_ups.wrapped_up(PROMISING, PROMISED)
        if said_so:
            follow_ups.done("8001", "c0.1")
        follow_ups.wrapped_up(calling, wrapped)
        assert ids(follow_ups) == []
    by_call = None if said_so else "back"
    assert site.facts == [FollowUpDone(call_id="c0", visit="c0.1", adviser="8001", by_call=by_call)]


async def test_whoever_is_promised_another_call_in_it_is_listed_once(site: Site) -> None:
    calling = msgspec.structs.replace(PROMISING, visit="back.1", call_id="back", follow_up="c0.1")
    again = msgspec.structs.replace(PROMISED, visit="back.1", call_id="back", due_at=DAY + timedelta(days=2))
    async with site.opened() as (follow_ups, _):
        follow_ups.wrapped_up(PROMISING, PROMISED)
        follow_ups.wrapped_up(calling, again)
        assert ids(follow_ups) == ["back.1"]


async def test_a_voice_message_is_for_whoever_has_the_skills_and_gone_once_one_has_answered(site: Site) -> None:
    async with site.opened() as (follow_ups, messages):
        follow_ups.wrapped_up(PROMISING, PROMISED)
        messages.left(LEFT)
        messages.left(msgspec.structs.replace(LEFT, message="pension", about="pension"))
        messages.left(msgspec.structs.replace(LEFT, message="night", about="message", due_at=DAY + timedelta(days=9)))
        messages.left(msgspec.structs.replace(LEFT, message="complaint", purpose="complaint", adviser="8001"))
        assert ids(follow_ups) == ["c5.m1", "c0.1", "night"]
        assert ids(follow_ups, "8002") == ["c5.m1", "pension", "night"]
        assert ids(follow_ups, "8099") == [], "nobody who takes calls"
        kinds = {owed.id: (owed.kind, owed.queue, owed.topic) for owed in follow_ups.of("8001")}
        assert kinds["c5.m1"] == ("message", "cards", "cards")
        assert kinds["night"] == ("message", None, "message")
        follow_ups.done("8002", "c5.m1")
        assert "c5.m1" not in ids(follow_ups)
    assert VoiceMessageAnswered(call_id="c5", message="c5.m1", adviser="8002") in site.facts
