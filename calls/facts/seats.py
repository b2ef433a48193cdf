"""A seat: how it stands, for which caller it was chosen and why, and that it rang in vain."""

from __future__ import annotations

from typing import Literal

import msgspec

from calls.facts.fact import Fact

SeatState = Literal[
    "logged_out", "not_ready", "ready", "reserved", "ringing", "calling", "talking", "holding", "wrap_up"
]
NotAnswered = Literal["no_answer", "busy", "unreachable", "refused"]

PassedOverWhy = Literal[
    "skill",
    "language",
    "site",
    "lending",
    "surplus",
    "rest",
    "not_preferred",
    "not_ready",
    "reserved",
    "ringing",
    "calling",
    "talking",
    "holding",
    "wrap_up",
    "pulled",
]
"""Why another seat was not chosen, or why a caller who came before could not have it (the first four), or was not asked: a
team lead pulled somebody else (the last one)."""


class PassedOver(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Others who were passed over for one reason: how many, and the first few of them."""

    why: PassedOverWhy
    detail: str
    """What is missing: `pension 3`, a language, a site; else empty."""
    count: int
    some: tuple[str, ...] = ()
    """Seats; nothing where callers are meant."""


class Chosen(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What decided for a caller and a seat, in figures."""

    waited_ms: int
    rested_ms: int
    surplus: int
    """Levels of the adviser beyond what was asked, over all skills."""
    preferred: bool
    """The adviser was the one whom the caller wanted."""


class SeatStateChanged(Fact, frozen=True, kw_only=True, tag="seat_state_changed"):
    """A seat moved to another state of the one table of seat states."""

    seat: str
    adviser: str | None
    state: SeatState
    reason: str


class SeatOffered(Fact, frozen=True, kw_only=True, tag="seat_offered"):
    """A seat was reserved for a caller and rings. `why` says in a few words why this seat; `rexian why` prints all of it."""

    call_id: str
    visit: str
    seat: str
    adviser: str
    generation: int
    why: str
    chosen: Chosen | None = None
    """None in facts of version 1."""
    seats_passed: tuple[PassedOver, ...] = ()
    """The other seats at which somebody sat."""
    callers_passed: tuple[PassedOver, ...] = ()
    """Callers whose turn was before, and whom this seat cannot take."""
    site: str = ""
    """Where the adviser sits."""
    lent_to: str | None = None
    """The site whose call it is, where the adviser's site lends them; None: nobody is lent."""


class SeatDidNotAnswer(Fact, frozen=True, kw_only=True, tag="seat_did_not_answer"):
    """The seat rang in vain; the caller is back at the same place with the first wait."""

    call_id: str
    visit: str
    seat: str
    adviser: str
    reason: NotAnswered
    rang_ms: int
