"""A seat's state: one table of legal moves, and nothing else in the system that knows better.

Theory of operation. A seat is *logged out* until an adviser sits down at it. *Ready*, it may be *reserved* for a caller;
the reservation has a generation number, so that a late answer to an old one changes nothing. Reserved, it *rings*; ringing,
it is answered and *talking*, or it is not and becomes *not ready*: a seat that did not answer is never offered again until
somebody says it is ready. A seat that is rung to call a citizen back is *calling* until the citizen answers. While the
adviser has the caller on hold, who hears music, it is *holding*. After talking, or calling in vain, comes *wrap-up*
(话后处理), bounded in time, then ready again, or not ready when the adviser asked for that during the call; so it does, for
as long as the telephone rings still, after a colleague who asked and thought better of it. Whoever needs another
move adds it to MOVES, where it can be seen, and draws docs/seat-states.md anew: `python -m queues.diagram`.
"""

from __future__ import annotations

from collections.abc import Mapping

from calls.clock import Instant
from calls.errors import IllegalMove
from calls.facts import SeatState

FOUND = "a new controller finds the conversation going on"

MOVES: Mapping[SeatState, Mapping[SeatState, str]] = {
    "logged_out": {
        "ready": "an adviser sits down",
        "not_ready": "an adviser sits down, not ready yet",
        "talking": FOUND,
    },
    "not_ready": {
        "ready": "ready",
        "reserved": "calls a lost caller back, is asked by a colleague, or a team lead gives it a caller",
        "not_ready": "another adviser, or another reason",
        "logged_out": "the adviser leaves",
        "talking": FOUND,
    },
    "ready": {
        "reserved": "a caller is proposed, or a colleague asks",
        "ready": "another adviser sits down",
        "not_ready": "a pause, or the telephone is gone",
        "logged_out": "the adviser leaves",
        "talking": FOUND,
    },
    "reserved": {
        "ringing": "accepted",
        "ready": "the caller left, or nobody accepted in time",
        "wrap_up": "the colleague asks no more",
        "not_ready": "the telephone is gone, or a pause was asked for",
        "talking": FOUND,
    },
    "ringing": {
        "calling": "answered, and the citizen is called back",
        "talking": "answered",
        "ready": "the caller left",
        "wrap_up": "the colleague asks no more",
        "not_ready": "not answered, or a pause was asked for",
    },
    "calling": {
        "talking": "the citizen has answered",
        "wrap_up": "the citizen was not reached",
        "not_ready": "the telephone is gone",
    },
    "talking": {
        "holding": "the caller is put on hold",
        "wrap_up": "the conversation is over",
        "not_ready": "the telephone is gone, or hung up before anything was heard",
    },
    "holding": {
        "talking": "the caller is taken back",
        "wrap_up": "the conversation is over",
        "not_ready": "the telephone is gone",
    },
    "wrap_up": {
        "wrap_up": "more time is asked for",
        "reserved": "calls a lost caller back, or is asked by a colleague",
        "ready": "ready, or the time is over",
        "not_ready": "a pause, or the telephone is gone",
        "logged_out": "the adviser leaves",
    },
}
"""state -> the states it may move to, and what brings each about."""

BUSY: frozenset[SeatState] = frozenset({"reserved", "ringing", "calling", "talking", "holding"})
"""A visit holds the seat: the adviser's own wish waits for the end of it."""


AT_WORK: frozenset[SeatState] = BUSY | {"ready", "wrap_up"}
"""The seat takes a call now, or as soon as it is free."""


class Seat:
    """One seat as the engine sees it. Only the engine moves it."""

    def __init__(self, number: str) -> None:
        self.number = number
        self.state: SeatState = "logged_out"
        self.reason = ""
        self.since = Instant(0.0)
        self.adviser: str | None = None
        self.reachable = False
        """Its telephone is registered and answers."""
        self.generation = 0
        self.visit: str | None = None
        self.until: Instant | None = None
        """When the state ends by itself: a reservation's expiry, the end of wrap-up."""
        self.wrap_up_until: Instant | None = None
        """When the wrap-up ends out of which it was rung; None: it was not."""
        self.afterwards: str | None = None
        """The reason for which the adviser wants to be not ready once this call is over."""

    def check(self, state: SeatState, reason: str) -> None:
        """Raises IllegalMove when the table has no move to `state` from here."""
        if state not in MOVES[self.state]:
            raise IllegalMove(f"seat {self.number} cannot go from {self.state} to {state} ({reason or 'no reason'})")

    def move(self, state: SeatState, reason: str, now: Instant, until: Instant | None = None) -> None:
        """Raises IllegalMove when the table has no such move; nothing has changed then."""
        self.check(state, reason)
        self.state, self.reason, self.since, self.until = state, reason, now, until
        if state not in BUSY:
            self.visit = None
            if state != "wrap_up":
                self.afterwards = None
        if state == "logged_out":
            self.adviser = None
