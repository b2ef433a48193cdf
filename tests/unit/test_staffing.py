"""Alarms about who is there to answer, on a real floor and journal: raised once, cleared once, and never while closed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from calls.clock import Instant
from calls.facts import AlarmCleared, AlarmRaised
from calls.words import Needs
from cti.alarms import Alarms
from cti.floor import Floor
from cti.hotline import Hotline
from cti.settings import Settings
from cti.staffing import Staffing
from cti.store import Journal
from ivr.hours import Hours
from queues import Adviser, LogOut, QueueRules, SitDown
from tests.unit.test_ivr_flow import LINE

NOON_CHINA = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
"""A Monday."""
LONG_WAIT_S = 180.0


class Site:
    """A floor, its alarms, and a clock that a test sets."""

    def __init__(self, folder: Path) -> None:
        self.seconds, self.at = 1000.0, NOON_CHINA
        self.journal = Journal(folder / "journal.db", "node1", self)
        self.floor = Floor(self, self.journal, self.journal, ("1001", "1002", "1003"), 30.0, lambda: None)
        hours = Hours(weekly={"mon": ("09:00-17:00",)})
        line = msgspec.structs.replace(LINE, number="12333", hours=hours)
        advisers = {number: Adviser(number, {}) for number in ("8001", "8002", "8003")}
        self.hotline = Hotline({line.number: line}, {"general": QueueRules(5)}, advisers, ())
        self.floor.load(advisers, self.hotline.queues)
        settings = Settings(least_advisers=2, long_wait_s=LONG_WAIT_S)
        alarms = Alarms(self.journal, self.journal)
        self.staffing = Staffing(settings, self, self.floor, alarms, lambda: self.hotline)

    def now(self) -> Instant:
        return Instant(self.seconds)

    def utc(self) -> datetime:
        return self.at

    def sit(self, seat: str, adviser: str) -> None:
        self.floor.phone_seen(seat, reachable=True)
        self.floor.take(SitDown(seat, adviser))

    async def alarms(self) -> list[tuple[type, str, str]]:
        """All that was told, after two more looks: what stands is not told again."""
        self.staffing.look()
        self.staffing.look()
        await self.journal.flush()
        facts = [stamped.fact for stamped in await self.journal.read_after(0)]
        return [(type(fact), fact.name, fact.subject) for fact in facts if isinstance(fact, AlarmRaised | AlarmCleared)]


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    opened = Site(tmp_path)
    yield opened
    await opened.journal.close()


RAISED, CLEARED = AlarmRaised, AlarmCleared


async def test_an_open_line_with_too_few_advisers_is_an_alarm_until_there_are_enough(site: Site) -> None:
    site.sit("1001", "8001")
    assert await site.alarms() == [(RAISED, "too_few_advisers", "12333")]
    site.sit("1002", "8002")
    assert await site.alarms() == [(RAISED, "too_few_advisers", "12333"), (CLEARED, "too_few_advisers", "12333")]
    site.floor.take(LogOut("1002"))
    assert (await site.alarms())[2:] == [(RAISED, "too_few_advisers", "12333")]


async def test_a_closed_line_needs_nobody(site: Site) -> None:
    site.at = NOON_CHINA.replace(hour=14)
    assert await site.alarms() == []


async def test_a_long_wait_is_an_alarm_until_it_is_over(site: Site) -> None:
    site.sit("1001", "8001")
    site.sit("1002", "8002")
    for visit in ("v1", "v2", "v3"):
        site.floor.enter(visit, Needs({}, "general"), site.now(), returned=False, kept=False)
    site.seconds += LONG_WAIT_S
    assert await site.alarms() == []
    site.seconds += 1
    assert await site.alarms() == [(RAISED, "long_wait", "general")]
    for visit in ("v1", "v2", "v3"):
        site.floor.leave(visit)
    assert await site.alarms() == [(RAISED, "long_wait", "general"), (CLEARED, "long_wait", "general")]
