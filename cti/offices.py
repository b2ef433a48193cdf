"""The offices of the lines' areas, fetched and rendered ahead: whoever asks for one waits neither for a system nor for a voice.

Fetched at the start, every hour, and whenever the line files were read anew. What could not be fetched is tried again within
seconds, and what is known meanwhile is told for a day: an office moves seldom, and is not gone because a network is.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence

import msgspec
import structlog

from calls.clock import Clock, Instant
from calls.words import Language
from ivr.business import Business, NotAvailable, Office
from ivr.information import Speak
from ivr.line import Line

log = structlog.get_logger(__name__)

FETCHED_EVERY_S = 3600.0
AGAIN_S = 10.0
"""After a failure: at a start the system may be a little later than we are."""
GOOD_FOR_S = 24 * 3600.0

Speaker = Callable[[], Speak]
"""Gives the voice by the words of this moment. Blocks, as what it gives does."""


class OfficeBook:
    """What is known of offices, by their area. `run` keeps it."""

    def __init__(
        self, clock: Clock, business: Business, lines: Callable[[], Mapping[str, Line]], speaker: Speaker
    ) -> None:
        self._clock, self._business, self._lines, self._speaker = clock, business, lines, speaker
        self._known: dict[str, tuple[Instant, Sequence[Office]]] = {}
        self._missed: set[str] = set()
        """The areas that could not be fetched; each is told once."""
        self._asked = asyncio.Event()

    def of(self, area: str) -> Sequence[Office] | None:
        """Those of an area, the nearest first, each of whose words can be said; None while they are not known."""
        since, offices = self._known.get(area, (None, ()))
        return offices if since is not None and self._clock.now() - since <= GOOD_FOR_S else None

    def look(self) -> None:
        """The lines may name other areas now."""
        self._asked.set()

    async def run(self) -> None:
        """Keep what is known up to date, for ever."""
        while True:
            self._asked.clear()
            whole = await self.fetch()
            try:
                async with asyncio.timeout(FETCHED_EVERY_S if whole else AGAIN_S):
                    await self._asked.wait()
            except TimeoutError:
                continue

    async def fetch(self) -> bool:
        """Ask for every area of every line, once; whether all were told. What is not, is known as before."""
        wanted = {area.area: line.language for line in self._lines().values() for area in line.areas}
        told: dict[str, Sequence[Office]] = {}
        for area in wanted:
            try:
                told[area] = await self._business.offices(area)
            except NotAvailable as error:
                if area not in self._missed:
                    log.warning("the offices of an area cannot be fetched", area=area, error=str(error))
                self._missed.add(area)
        sayable = await asyncio.to_thread(self._render, [(wanted[area], told[area]) for area in told]) if told else []
        for area, offices in zip(told, sayable, strict=True):
            self._known[area] = self._clock.now(), offices
            self._missed.discard(area)
        return len(told) == len(wanted)

    def _render(self, told: Iterable[tuple[Language, Sequence[Office]]]) -> list[Sequence[Office]]:
        speak = self._speaker()
        return [
            [_said(office) for office in offices if _can_say(speak, language, office)] for language, offices in told
        ]


def _can_say(speak: Speak, language: Language, office: Office) -> bool:
    """Render all that is said of an office; one that cannot be said whole is left out."""
    try:
        faults = [fault for words in (office.name, office.address, office.hours) if (fault := speak(language, words))]
    except OSError as error:
        faults = [(f"{error.filename} cannot be written: {error.strerror}", "free some space there")]
    for reason, mend in faults:
        log.warning("an office cannot be told", office=office.id, reason=reason, mend=mend)
    return not faults


def _said(office: Office) -> Office:
    """Its telephone number as digits, to be read out; systems write it in many ways."""
    digits = "".join(letter for letter in office.telephone if letter.isascii() and letter.isdigit())
    return msgspec.structs.replace(office, telephone=digits)
