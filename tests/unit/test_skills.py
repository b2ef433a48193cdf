"""Skills that a lead moves: at once, to the end of the day, over whatever the files say."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest

from calls.clock import SystemClock
from calls.errors import NotPossible
from cti.desk.feed import Feed, Moved
from cti.hotline import Hotline
from cti.skills import Skills, Wish
from cti.store import Journal
from queues import Adviser

EVENING = datetime(2026, 1, 5, 15, 59, tzinfo=UTC)
MIDNIGHT = datetime(2026, 1, 5, 16, 0, tzinfo=UTC)
"""In the hotline's zone."""


class Clock(SystemClock):
    """Of the day, as it is told."""

    at = EVENING

    def utc(self) -> datetime:
        return self.at


class Site:
    """One controller after the other on one journal, and its files."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.clock, self.feed = folder, Clock(), Feed()
        self.changes = 0
        self.files(cards=3)

    def files(self, **skills: int) -> None:
        advisers = {"8001": Adviser("8001", skills), "8002": Adviser("8002", {"pension": 1})}
        self.hotline = Hotline({}, {}, advisers, ())

    def changed(self) -> None:
        self.changes += 1

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[Skills]:
        journal = Journal(self.folder / "journal.db", "node", self.clock)
        self.feed = Feed()
        zone = ZoneInfo("Asia/Shanghai")
        try:
            yield Skills(journal, self.clock, zone, self.feed, lambda: self.hotline, self.changed)
        finally:
            await journal.close()

    def sees(self, adviser: str | None = None, *, lead: bool = False) -> list[Any]:
        with self.feed.opened(adviser, lead=lead) as page:
            return [msgspec.json.decode(message) for message in page.take()]


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


async def test_a_skill_is_added_raised_and_taken_away_at_once(site: Site) -> None:
    async with site.opened() as skills:
        skills.move("8001", Wish("pension", 2))
        assert skills.advisers()["8001"].skills == {"cards": 3, "pension": 2}
        skills.move("8001", Wish("cards", 5))
        assert skills.advisers()["8001"].skills == {"cards": 5, "pension": 2}
        skills.move("8001", Wish("cards", 0))
        assert skills.advisers()["8001"].skills == {"pension": 2}
        assert site.changes == 3
        assert skills.moved() == {"8001": {"pension": 2, "cards": 0}}
        of = skills.all()
        assert of.skills == ("cards", "pension")
        assert of.advisers[0].moved == {"pension": Moved(2, 0), "cards": Moved(0, 3)}
        told = {"kind": "skills", "adviser": "8001", "moved": {"pension": {"level": 2, "file": 0}}}
        told["moved"] |= {"cards": {"level": 0, "file": 3}}  # type: ignore[operator]
        assert site.sees(lead=True) == site.sees("8001") == [told]
        assert site.sees("8002") == []


async def test_it_is_undone_by_one_wish(site: Site) -> None:
    async with site.opened() as skills:
        for undone in (Wish("cards", None), Wish("cards", 3)):
            skills.move("8001", Wish("cards", 1))
            skills.move("8001", undone)
            assert skills.advisers()["8001"].skills == {"cards": 3}
            assert skills.moved() == {}
            assert site.sees(lead=True) == []


async def test_it_outlives_a_controller_and_files_that_are_read_anew_but_not_the_day(site: Site) -> None:
    async with site.opened() as skills:
        skills.move("8001", Wish("pension", 2))
    async with site.opened() as skills:
        site.files(cards=4)
        assert skills.advisers()["8001"].skills == {"cards": 4, "pension": 2}
        site.files(cards=4, pension=1)
        skills.tell()
        (told,) = site.sees(lead=True)
        assert told["moved"] == {"pension": {"level": 2, "file": 1}}
        site.files(cards=4)
        skills.look()
        assert site.changes == 1
        site.clock.at = MIDNIGHT
        skills.look()
        assert site.changes == 2
        assert skills.advisers()["8001"].skills == {"cards": 4}
        assert site.sees(lead=True) == []
    async with site.opened() as skills:
        assert skills.moved() == {}


async def test_whoever_moves_a_skill_just_after_midnight_moves_nothing_of_yesterday(site: Site) -> None:
    async with site.opened() as skills:
        skills.move("8001", Wish("pension", 2))
        site.clock.at = MIDNIGHT
        skills.move("8001", Wish("cards", 5))
        assert skills.moved() == {"8001": {"cards": 5}}


async def test_a_day_that_ended_while_no_controller_ran_is_over(site: Site) -> None:
    async with site.opened() as skills:
        skills.move("8001", Wish("pension", 2))
    site.clock.at = MIDNIGHT
    async with site.opened() as skills:
        assert skills.moved() == {}


async def test_an_adviser_who_is_in_the_files_no_more_is_nobody(site: Site) -> None:
    async with site.opened() as skills:
        skills.move("8001", Wish("pension", 2))
        site.hotline = Hotline({}, {}, {}, ())
        assert skills.advisers() == {}
        assert skills.all().advisers == ()


@pytest.mark.parametrize(
    ("adviser", "skill", "why"), [("8009", "cards", "adviser 8009"), ("8001", "card", "skill card")]
)
async def test_whoever_and_whatever_is_not_there_is_told_of(site: Site, adviser: str, skill: str, why: str) -> None:
    async with site.opened() as skills:
        with pytest.raises(NotPossible, match=f"there is no {why}. Mend: use"):
            skills.move(adviser, Wish(skill, 2))
        assert site.changes == 0
