"""Kept places: the same number has its turn again, once, in the same queue."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from calls.clock import SystemClock
from calls.words import Needs
from cti.asterisk.kept import KeptCall
from cti.asterisk.places import KeptPlace, keep_place, take_place
from cti.remembered import Remembered
from cti.store import Journal

NUMBER = "+8613800001111"

Places = Remembered[KeptPlace]


@pytest.fixture
async def places(tmp_path: Path) -> AsyncIterator[Places]:
    journal = Journal(tmp_path / "journal.db", "node1", SystemClock())
    yield Remembered("place/", KeptPlace, journal, SystemClock(), "boot1", 600)
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


async def test_the_same_number_has_its_place_again_once(places: Places) -> None:
    keep_place(places, waited("first", 990))
    place = take_place(places, NUMBER, "cards")
    assert place
    assert (place.visit, place.since) == ("first.1", 990.0)
    assert take_place(places, NUMBER, "cards") is None
    keep_place(places, waited("second", 990, place_of="first.1"))
    assert take_place(places, NUMBER, "cards") is None


async def test_not_for_another_number_or_another_queue(places: Places) -> None:
    keep_place(places, waited("first", 990))
    assert take_place(places, "+8613800002222", "cards") is None
    assert take_place(places, None, "cards") is None
    assert take_place(places, NUMBER, "pension") is None
    assert take_place(places, NUMBER, "cards")


async def test_nothing_is_kept_without_a_number_or_a_queue(places: Places) -> None:
    keep_place(places, waited("withheld", 990, calling_number=None))
    keep_place(places, waited("in the menu", 0, needs=None))
    assert len(places) == 0


@pytest.mark.parametrize("order", [("first", "second"), ("second", "first")])
async def test_of_two_calls_of_one_number_the_first_place_counts(places: Places, order: tuple[str, str]) -> None:
    for call_id in order:
        keep_place(places, waited(call_id, 980 if call_id == "first" else 990))
    place = take_place(places, NUMBER, "cards")
    assert place
    assert place.visit == "first.1"
