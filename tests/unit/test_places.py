"""Kept places: the same number has its turn again, once, in time, in the same queue, and also under the next controller."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from calls.clock import Instant
from calls.words import Needs
from cti.asterisk.kept import KeptCall
from cti.asterisk.places import KEPT, KeptPlace, Places
from cti.store import Journal

NUMBER = "+8613800001111"
KEPT_S = 600.0


class SetClock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.at = 1000.0

    def now(self) -> Instant:
        return Instant(self.at)

    def utc(self) -> datetime:
        return datetime(2026, 1, 5, 1, 0, tzinfo=UTC)


@asynccontextmanager
async def opened(folder: Path, clock: SetClock, kept_s: float = KEPT_S, boot: str = "boot1") -> AsyncIterator[Places]:
    journal = Journal(folder / "journal.db", "node1", clock)
    try:
        yield Places(journal, clock, kept_s, boot)
        await journal.flush()
        assert set(journal.find(KEPT, KeptPlace)) <= {KEPT + NUMBER}
    finally:
        await journal.close()


def waited(call_id: str, since_s: float, **changes: object) -> KeptCall:
    kept = KeptCall(
        call_id=call_id,
        sip_call_id=call_id,
        calling_number=NUMBER,
        line="12333",
        boot_id="boot1",
        arrived_ms=0,
        arrived_at=datetime(2026, 1, 5, tzinfo=UTC),
        visits=1,
        needs=Needs({"cards": 1}, "cards"),
        since_ms=round(since_s * 1000),
    )
    return msgspec.structs.replace(kept, **changes)


async def test_the_same_number_has_its_place_again_once(tmp_path: Path) -> None:
    clock = SetClock()
    async with opened(tmp_path, clock) as places:
        places.keep(waited("first", 990))
        clock.at += KEPT_S - 1
        place = places.take(NUMBER, "cards")
        assert place
        assert (place.visit, place.since_ms) == ("first.1", 990_000)
        assert places.take(NUMBER, "cards") is None
        places.keep(waited("second", 990, place_of="first.1"))
        assert places.take(NUMBER, "cards") is None


async def test_not_for_another_number_another_queue_or_too_late(tmp_path: Path) -> None:
    clock = SetClock()
    async with opened(tmp_path, clock) as places:
        places.keep(waited("first", 990))
        assert places.take("+8613800002222", "cards") is None
        assert places.take(None, "cards") is None
        assert places.take(NUMBER, "pension") is None
        clock.at += KEPT_S
        assert places.take(NUMBER, "cards") is None
        assert len(places) == 0


async def test_nothing_is_kept_without_a_number_or_a_queue_or_the_wish(tmp_path: Path) -> None:
    clock = SetClock()
    async with opened(tmp_path, clock) as places:
        places.keep(waited("withheld", 990, calling_number=None))
        places.keep(waited("in the menu", 0, needs=None))
        assert len(places) == 0
    async with opened(tmp_path / "none", clock, kept_s=0) as places:
        places.keep(waited("first", 990))
        assert len(places) == 0


async def test_of_two_calls_of_one_number_the_first_place_counts(tmp_path: Path) -> None:
    clock = SetClock()
    async with opened(tmp_path, clock) as places:
        places.keep(waited("first", 980))
        places.keep(waited("second", 990))
        place = places.take(NUMBER, "cards")
        assert place
        assert place.visit == "first.1"
        places.keep(waited("second", 990))
        places.keep(waited("first", 980))
        place = places.take(NUMBER, "cards")
        assert place
        assert place.visit == "first.1"


async def test_a_restart_keeps_every_place_and_another_boot_none(tmp_path: Path) -> None:
    clock = SetClock()
    async with opened(tmp_path, clock) as places:
        places.keep(waited("first", 990))
    async with opened(tmp_path, clock) as places:
        assert len(places) == 1
    async with opened(tmp_path, clock, boot="boot2") as places:
        assert len(places) == 0
    async with opened(tmp_path, clock) as places:
        assert places.take(NUMBER, "cards") is None
