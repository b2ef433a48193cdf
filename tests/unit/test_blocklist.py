"""The block list: every entry has a reason, a name, a last day and a day of review, and ends by itself."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from calls.clock import Instant
from calls.errors import NotPossible
from calls.facts import AlarmCleared, AlarmRaised, AnyFact, BlockEnded, BlockReviewed, NumberBlocked
from cti.blocklist import MOST_DAYS, REVIEW_AFTER, REVIEW_DUE, BlockList
from cti.store import Journal

NUMBER, BEGAN = "+8613800001111", datetime(2026, 1, 5, 1, 0, tzinfo=UTC)
SWITCHBOARD = "+8657188881234"


class SetClock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.days = 0.0

    def now(self) -> Instant:
        return Instant(self.days * 86_400)

    def utc(self) -> datetime:
        return BEGAN + timedelta(days=self.days)


class Site:
    """One list after the other on one journal."""

    def __init__(self, folder: Path) -> None:
        self.clock, self.path = SetClock(), folder / "journal.db"
        self.facts: list[AnyFact] = []

    def record(self, fact: AnyFact) -> None:
        self.facts.append(fact)

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[BlockList]:
        journal = Journal(self.path, "node1", self.clock)
        try:
            yield BlockList(self, journal, self.clock, "CN", lambda number: number == SWITCHBOARD)
        finally:
            await journal.close()


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


async def test_a_number_is_refused_until_its_last_day(site: Site) -> None:
    async with site.opened() as blocks:
        blocks.add("138 0000 1111", 7, "rings and  says nothing", "8001")
        assert blocks.refuses(NUMBER)
        assert not blocks.refuses("+8613800002222")
        assert not blocks.refuses(None), "who withholds the number is nobody"
        site.clock.days = 6.999
        assert blocks.refuses(NUMBER)
        site.clock.days = 7
        assert not blocks.refuses(NUMBER)
        assert blocks.entries() == []
        blocks.look()
    until = BEGAN + timedelta(days=7)
    assert site.facts == [
        NumberBlocked(calling_number=NUMBER, reason="rings and says nothing", by="8001", until=until, review_at=until),
        BlockEnded(calling_number=NUMBER, why="expired", by=None),
    ]


@pytest.mark.parametrize("written", ["13800001111", "013800001111", "+8613800001111", "0086 138-0000-1111"])
async def test_numbers_are_compared_however_they_are_written(site: Site, written: str) -> None:
    async with site.opened() as blocks:
        blocks.add(written, 1, "rude", "8001")
        assert blocks.refuses(NUMBER)
        blocks.lift("13800001111", "8002")
        assert not blocks.refuses(NUMBER)
    assert site.facts[-1] == BlockEnded(calling_number=NUMBER, why="lifted", by="8002")


async def test_the_next_controller_refuses_on(site: Site) -> None:
    async with site.opened() as blocks:
        blocks.add(NUMBER, 1, "rude", "8001")
    async with site.opened() as blocks:
        assert blocks.refuses(NUMBER)
        assert [(one.reason, one.by) for one in blocks.entries()] == [("rude", "8001")]


async def test_a_long_block_is_to_be_looked_at_and_an_alarm_stands_until_somebody_has(site: Site) -> None:
    async with site.opened() as blocks:
        blocks.add(NUMBER, MOST_DAYS, "threats", "8001")
        blocks.look()
        assert blocks.problem is None
        site.clock.days = 30
        blocks.look()
        blocks.look()
        assert blocks.problem
        assert blocks.problem.startswith("1 blocked numbers were to be reviewed")
        blocks.review(NUMBER, 60, "8002")
        assert blocks.problem is None
        [entry] = blocks.entries()
    assert (entry.by, entry.reviewed_by, entry.reason) == ("8001", "8002", "threats")
    assert (entry.since, entry.until) == (BEGAN, BEGAN + timedelta(days=90))
    assert entry.review_at == BEGAN + timedelta(days=30) + REVIEW_AFTER
    told = [fact for fact in site.facts if isinstance(fact, AlarmRaised | AlarmCleared | BlockReviewed)]
    assert [type(fact) for fact in told] == [AlarmRaised, BlockReviewed, AlarmCleared]
    alarm = told[0]
    assert isinstance(alarm, AlarmRaised)
    assert alarm.name == REVIEW_DUE
    assert "1111" not in alarm.subject + alarm.detail, "alarms go out on the bus"


@pytest.mark.parametrize("end", ["lift", "expiry"])
async def test_the_alarm_ends_with_what_it_is_about(site: Site, end: str) -> None:
    async with site.opened() as blocks:
        blocks.add(NUMBER, 40, "threats", "8001")
        site.clock.days = 31
        blocks.look()
        if end == "lift":
            blocks.lift(NUMBER, "8001")
        else:
            site.clock.days = 41
            blocks.look()
    assert [fact for fact in site.facts if isinstance(fact, AlarmCleared)] != []


WRONG: dict[str, tuple[Callable[[BlockList], None], str]] = {
    "no number": (
        lambda blocks: blocks.add("anonymous", 1, "rude", "8001"),
        "'anonymous' is no telephone number. Mend: write one such as 13800001111 or +8657188881234.",
    ),
    "for ever": (lambda blocks: blocks.add(NUMBER, 3650, "rude", "8001"), "a block of 3650 days is not possible."),
    "for no time": (lambda blocks: blocks.add(NUMBER, 0, "rude", "8001"), "a block of 0 days is not possible."),
    "for nan": (lambda blocks: blocks.add(NUMBER, float("nan"), "rude", "8001"), "a block of nan days"),
    "no reason": (lambda blocks: blocks.add(NUMBER, 1, "  ", "8001"), "a block needs a reason of 1 to 200"),
    "a book": (lambda blocks: blocks.add(NUMBER, 1, "x" * 201, "8001"), "a block needs a reason of 1 to 200"),
    "nobody": (lambda blocks: blocks.add(NUMBER, 1, "rude", ""), "a block needs a name of 1 to 200"),
    "many people": (
        lambda blocks: blocks.add(SWITCHBOARD, 1, "rude", "8001"),
        f"{SWITCHBOARD} stands in redial_exempt",
    ),
    "nothing to lift": (lambda blocks: blocks.lift(NUMBER, "8001"), f"{NUMBER} is not blocked. Mend: rexian block"),
    "nothing to review": (lambda blocks: blocks.review(NUMBER, 1, "8001"), f"{NUMBER} is not blocked."),
}


@pytest.mark.parametrize("what", WRONG)
async def test_what_is_not_possible_is_told_with_its_mend(site: Site, what: str) -> None:
    do, words = WRONG[what]
    async with site.opened() as blocks:
        with pytest.raises(NotPossible) as refused:
            do(blocks)
    assert str(refused.value).startswith(words)
    assert "Mend: " in str(refused.value)
    assert site.facts == []


async def test_a_block_that_is_over_is_no_block_though_nobody_has_looked(site: Site) -> None:
    async with site.opened() as blocks:
        blocks.add(NUMBER, 1, "rude", "8001")
        site.clock.days = 2
        with pytest.raises(NotPossible):
            blocks.lift(NUMBER, "8001")
