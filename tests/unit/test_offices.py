"""Offices that are known ahead: fetched, rendered, told for a day while the system is away, left out if they cannot be said."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest
from msgspec.structs import replace

from bureau.places import OFFICES
from calls.clock import Instant
from calls.words import Language
from cti.offices import GOOD_FOR_S, OfficeBook
from ivr.business import NotAvailable, Office
from ivr.information import Area
from ivr.line import Line, Notice, Queue
from prompts.ownwords import unspeakable
from tests.fakes.business import FakeBusiness
from tests.fakes.caller import ScriptedClock

AREA, NEXT = "990101", "990102"


def line(*areas: str) -> Line:
    return Line(
        number="12333",
        version="1",
        name="热线",
        welcome="welcome",
        notice=Notice("notice", "1"),
        queues={"general": Queue({}, 1)},
        person="general",
        areas=tuple(Area("区", area) for area in areas),
    )


class Places(FakeBusiness):
    """Tells of some areas what the test says; None: it cannot."""

    def __init__(self) -> None:
        super().__init__()
        self.told: dict[str, Sequence[Office] | None] = {}

    async def offices(self, area: str) -> Sequence[Office]:
        offices = self.told.get(area, await super().offices(area))
        if offices is None:
            raise NotAvailable("offices")
        return offices


class Book:
    """A book of offices, and the world around it."""

    def __init__(self, *areas: str) -> None:
        self.clock, self.business = ScriptedClock(), Places()
        self.lines = {"12333": line(*areas)}
        self.rendered: list[tuple[Language, str]] = []
        self.book = OfficeBook(self.clock, self.business, lambda: self.lines, lambda: self.speak)

    def speak(self, language: Language, words: str) -> tuple[str, str] | None:
        self.rendered.append((language, words))
        return unspeakable(words)

    def names(self, area: str) -> list[str] | None:
        offices = self.book.of(area)
        return None if offices is None else [office.name for office in offices]


async def test_offices_are_known_once_they_were_fetched_and_all_their_words_rendered() -> None:
    here = Book(AREA)
    assert here.names(AREA) is None
    assert await here.book.fetch()
    assert here.names(AREA) == [office.name for office in OFFICES if office.area == AREA]
    assert here.names(NEXT) is None
    words = [word for office in OFFICES if office.area == AREA for word in (office.name, office.address, office.hours)]
    assert here.rendered == [("zh-CN", word) for word in words]


async def test_an_area_without_offices_is_known_to_have_none() -> None:
    here = Book("990199")
    assert await here.book.fetch()
    assert here.names("990199") == []


async def test_what_is_known_is_told_for_a_day_while_the_system_is_away() -> None:
    here = Book(AREA)
    await here.book.fetch()
    here.business.away = True
    here.clock.ms += round(GOOD_FOR_S * 1000)
    assert not await here.book.fetch()
    assert here.names(AREA)
    here.clock.ms += 1
    assert here.names(AREA) is None


async def test_one_area_that_fails_costs_the_others_nothing() -> None:
    here = Book(AREA, NEXT)
    here.business.told[AREA] = None
    assert not await here.book.fetch()
    assert here.names(AREA) is None
    assert here.names(NEXT)


@pytest.mark.parametrize("spoiled", [{"name": ""}, {"address": "★"}, {"hours": "……"}])
async def test_an_office_that_cannot_be_said_whole_is_left_out(spoiled: dict[str, str]) -> None:
    here = Book(AREA)
    good = await here.business.offices(AREA)
    here.business.told[AREA] = [replace(good[0], **spoiled), *good[1:]]
    assert await here.book.fetch()
    assert here.names(AREA) == [office.name for office in good[1:]]


async def test_a_telephone_number_is_told_as_digits_however_it_is_written() -> None:
    here = Book(AREA)
    good = await here.business.offices(AREA)
    here.business.told[AREA] = [replace(good[0], telephone="(0571) 8765-4321"), replace(good[1], telephone="无")]
    await here.book.fetch()
    known = here.book.of(AREA)
    assert known is not None
    assert [office.telephone for office in known] == ["057187654321", ""]


async def test_areas_of_new_line_files_are_fetched_at_once() -> None:
    here = Book(AREA)
    running = asyncio.create_task(here.book.run())
    try:
        async with asyncio.timeout(10):
            while here.names(AREA) is None:  # noqa: ASYNC110 - what is known has no event
                await asyncio.sleep(0)
            here.lines = {"12333": line(NEXT)}
            here.book.look()
            while here.names(NEXT) is None:  # noqa: ASYNC110 - as above
                await asyncio.sleep(0)
    finally:
        running.cancel()
    assert here.clock.now() == Instant(0)
