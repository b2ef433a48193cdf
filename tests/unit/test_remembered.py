"""What is remembered of a calling number: for its time, for the next controller, and of one boot only."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

from calls.clock import Instant
from cti.remembered import Remembered
from cti.store import Journal

NUMBER, OTHER = "+8613800001111", "+8613800002222"
LASTS_S = 600.0


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
    folder: Path, clock: SetClock, lasts_s: float = LASTS_S, boot: str = "boot1"
) -> AsyncIterator[Remembered[str]]:
    journal = Journal(folder / "journal.db", "node1", clock)
    try:
        yield Remembered("adviser/", str, journal, clock, boot, lasts_s)
    finally:
        await journal.close()


async def test_a_value_lasts_its_time_and_the_last_one_counts(tmp_path: Path) -> None:
    clock = SetClock()
    async with opened(tmp_path, clock) as advisers:
        advisers.put(NUMBER, "8001")
        clock.at += LASTS_S - 1
        advisers.put(OTHER, "8002")
        assert advisers.get(NUMBER) == "8001"
        clock.at += 1
        assert (advisers.get(NUMBER), advisers.get(OTHER), len(advisers)) == (None, "8002", 1)
        advisers.put(OTHER, "8003")
        clock.at += LASTS_S - 1
        assert advisers.get(OTHER) == "8003"
        advisers.forget(OTHER)
        assert len(advisers) == 0


async def test_nothing_is_remembered_of_a_withheld_number_or_for_no_time(tmp_path: Path) -> None:
    clock = SetClock()
    async with opened(tmp_path, clock) as advisers:
        advisers.put(None, "8001")
        assert (advisers.get(None), len(advisers)) == (None, 0)
    async with opened(tmp_path / "none", clock, lasts_s=0) as advisers:
        advisers.put(NUMBER, "8001")
        assert len(advisers) == 0


async def test_the_next_controller_knows_it_and_the_next_boot_does_not(tmp_path: Path) -> None:
    clock = SetClock()
    async with opened(tmp_path, clock) as advisers:
        advisers.put(OTHER, "8002")
        clock.at += 10
        advisers.put(NUMBER, "8001")  # later, and before the other by number: age decides what is forgotten first
    clock.at += LASTS_S - 10
    async with opened(tmp_path, clock) as advisers:
        assert (advisers.get(NUMBER), advisers.get(OTHER)) == ("8001", None)
    async with opened(tmp_path, clock, boot="boot2") as advisers:
        assert len(advisers) == 0
    async with opened(tmp_path, clock) as advisers:
        assert len(advisers) == 0
