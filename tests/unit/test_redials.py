"""Numbers that call too often: the limit holds in every window, a new controller counts on, and people are never hit."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calls.clock import Instant
from cti.redials import Redials
from cti.settings import Settings
from cti.store import Journal

NUMBER, OTHER = "+8613800001111", "+8613800002222"


class SetClock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.at = 1000.0

    def now(self) -> Instant:
        return Instant(self.at)

    def utc(self) -> datetime:
        return datetime(2026, 1, 5, 1, 0, tzinfo=UTC)


@asynccontextmanager
async def opened(
    folder: Path,
    clock: SetClock,
    most: int = 3,
    within_s: float = 60.0,
    exempt: tuple[str, ...] = (),
    boot: str = "boot1",
) -> AsyncIterator[Redials]:
    journal = Journal(folder / "journal.db", "node1", clock)
    try:
        yield Redials(journal, clock, boot, most=most, within_s=within_s, exempt=exempt, region="CN")
    finally:
        await journal.close()


def calls(redials: Redials, number: str | None = NUMBER) -> bool:
    """Whether a call of this number is let through now."""
    if redials.too_many(number):
        return False
    redials.count(number)
    return True


async def test_so_many_calls_are_let_through_and_more_once_the_first_is_long_ago(tmp_path: Path) -> None:
    clock = SetClock()
    async with opened(tmp_path, clock) as redials:
        assert [calls(redials) for _ in range(5)] == [True, True, True, False, False]
        assert calls(redials, OTHER)
        clock.at += 60
        assert [calls(redials) for _ in range(4)] == [True, True, True, False]


async def test_a_withheld_number_is_nobodys(tmp_path: Path) -> None:
    async with opened(tmp_path, SetClock()) as redials:
        assert all(calls(redials, None) for _ in range(100))


async def test_a_switchboard_may_be_exempted_however_its_number_is_written(tmp_path: Path) -> None:
    async with opened(tmp_path, SetClock(), exempt=("0571-8888 1234",)) as redials:
        assert all(calls(redials, "+8657188881234") for _ in range(100))
        assert redials.exempts("+8657188881234")
        assert not redials.exempts(NUMBER)


async def test_no_limit_is_no_limit(tmp_path: Path) -> None:
    async with opened(tmp_path, SetClock(), most=0) as redials:
        assert all(calls(redials) for _ in range(1000))


async def test_the_next_controller_counts_on(tmp_path: Path) -> None:
    clock = SetClock()
    async with opened(tmp_path, clock) as redials:
        assert calls(redials)
        assert calls(redials)
    async with opened(tmp_path, clock) as redials:
        assert [calls(redials) for _ in range(2)] == [True, False]


async def test_a_machine_that_was_started_anew_does_not_know_when_that_was(tmp_path: Path) -> None:
    clock = SetClock()
    async with opened(tmp_path, clock) as redials:
        assert [calls(redials) for _ in range(4)] == [True, True, True, False]
    async with opened(tmp_path, clock, boot="boot2") as redials:
        assert calls(redials)


@settings(max_examples=40)  # each opens a journal
@given(st.lists(st.floats(0, 40), min_size=1, max_size=60), st.integers(1, 6))
async def test_no_window_ever_has_more_and_nobody_is_refused_who_has_had_fewer(gaps_s: list[float], most: int) -> None:
    clock, let_through = SetClock(), list[float]()
    with tempfile.TemporaryDirectory() as folder:
        async with opened(Path(folder), clock, most) as redials:
            for gap_s in gaps_s:
                clock.at += gap_s
                now_ms = round(clock.at * 1000)
                recent = [at_ms for at_ms in let_through if at_ms > now_ms - 60_000]
                assert len(recent) <= most
                through = calls(redials)
                assert through == (len(recent) < most)
                let_through += [now_ms] if through else []


@pytest.mark.parametrize(
    ("who", "every_s"),
    [
        ("a switchboard on a bad day", 5.5),
        ("somebody who dials again at once", 10.0),
        ("a family at one telephone", 30.0),
    ],
)
async def test_the_default_hits_no_people(tmp_path: Path, who: str, every_s: float) -> None:
    default, clock = Settings(demo=False), SetClock()
    async with opened(tmp_path, clock, default.most_redials, default.redial_within_s) as redials:
        for _ in range(200):
            assert calls(redials), who
            clock.at += every_s


def test_a_demo_has_no_limit_unless_it_is_told() -> None:
    assert (Settings().most_redials, Settings(redial_most=9).most_redials) == (0, 9)


async def test_the_default_hits_a_machine(tmp_path: Path) -> None:
    default, clock = Settings(demo=False), SetClock()
    async with opened(tmp_path, clock, default.most_redials, default.redial_within_s) as redials:
        through = 0
        for _ in range(600):
            through += calls(redials)
            clock.at += 1
    assert through == default.most_redials
