"""A seat's state: one table of legal moves, and nothing else in the system that knows better.

Theory of operation. A seat is *logged out* until an adviser sits down at it. *Ready*, it may be *reserved* for a caller;
the reservation has a generation number, so that a late answer to an old one changes nothing. Reserved, it *rings*; ringing,
it is answered and *talking*, or it is not and becomes *not ready*: a seat that did not answer is never offered again until
somebody says it is ready. After talking comes *wrap-up* (话后处理), bounded in time, then ready again, or not ready when
the adviser asked for that during the call. Whoever needs another move adds it to MOVES, where it can be seen.
"""

from __future__ import annotations

from calls.clock import Instant
from calls.errors import IllegalMove
from calls.facts import SeatState

MOVES: dict[SeatState, frozenset[SeatState]] = {
    "logged_out": frozenset({"not_ready", "ready", "talking"}),
    "not_ready": frozenset({"ready", "logged_out", "not_ready", "talking"}),
    "ready": frozenset({"reserved", "not_ready", "logged_out", "ready", "talking"}),
    "reserved": frozenset({"ringing", "ready", "not_ready"}),
    "ringing": frozenset({"talking", "ready", "not_ready"}),
    "talking": frozenset({"wrap_up", "not_ready"}),
    "wrap_up": frozenset({"ready", "not_ready", "logged_out"}),
}
"""state -> the states it may move to. To `talking` from rest: only when a new controller finds the conversation going on.
To itself: another adviser sits down, or another reason is given."""

FREE_TO_CHANGE = frozenset({"logged_out", "not_ready", "ready", "wrap_up"})
"""States in which the adviser's own wish is carried out at once; in the others it waits for the call's end."""


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
        self.afterwards: str | None = None
        """The reason for which the adviser wants to be not ready once this call is over."""

    def move(self, state: SeatState, reason: str, now: Instant, until: Instant | None = None) -> None:
        """Raises IllegalMove when the table has no such move."""
        if state not in MOVES[self.state]:
            raise IllegalMove(f"seat {self.number} cannot go from {self.state} to {state} ({reason})")
        self.state, self.reason, self.since, self.until = state, reason, now, until
        if state not in ("reserved", "ringing", "talking"):
            self.visit = None
        if state == "logged_out":
            self.adviser = None
