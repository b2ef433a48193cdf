"""Who waits, for team leads: each caller of the waiting room, first turn first, and which seat rings for whom.

Of the number a lead is told the last four digits, by which two callers are told apart and nobody is known.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta

import msgspec

from calls.clock import Clock
from calls.words import Urgency
from cti.asterisk.kept import KeptCall
from queues import Engine

MOST = 100
"""Nobody reads on."""


class Waits(msgspec.Struct, frozen=True, kw_only=True):
    """A caller who waits since then, UTC."""

    visit: str
    queue: str
    position: int
    """1 for the next in turn in that queue."""
    since: datetime
    urgency: Urgency
    language: str | None
    """Asked for; null: Mandarin."""
    ends_in: str | None
    """The last four digits of the number; null when withheld."""
    away: bool
    """Not on the line, but to be called back when the turn comes."""
    seat: str | None
    """Reserved or ringing for this caller."""


class WhoWaits(msgspec.Struct, frozen=True):
    """The first of all who wait, and how many there are besides."""

    waiting: tuple[Waits, ...]
    more: int


def who_waits(engine: Engine, clock: Clock, call: Callable[[str], KeptCall | None]) -> WhoWaits:
    """At this moment; `call` knows a call by its id."""
    everybody, positions = engine.waiting(), Counter[str]()
    seats = {seat.visit: seat.number for seat in engine.seats() if seat.visit}
    now, utc = clock.now(), clock.utc()
    told = []
    for one in everybody[:MOST]:
        positions[one.needs.queue] += 1
        kept = call(one.visit.rpartition(".")[0])
        number = kept.calling_number if kept else None
        told.append(
            Waits(
                visit=one.visit,
                queue=one.needs.queue,
                position=positions[one.needs.queue],
                since=utc - timedelta(seconds=max(0.0, now - one.since)),
                urgency=one.needs.urgency,
                language=one.needs.language,
                ends_in=number[-4:] if number else None,
                away=one.away,
                seat=seats.get(one.visit),
            )
        )
    return WhoWaits(tuple(told), len(everybody) - len(told))
