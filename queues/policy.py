"""The rule: two questions, ties total, no I/O. Whose turn is it, and which seat?

May this adviser take this call: every needed skill at its level. Which call: the longest wait from the first arrival.
Which seat: the longest rest. A caller whom nobody present can serve never holds back the next one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from calls.clock import Instant
from calls.words import Needs
from queues.advisers import Adviser
from queues.seats import Seat


class Waiting(msgspec.Struct, frozen=True):
    """A caller in the waiting room; `order` breaks ties between callers of the same instant."""

    visit: str
    needs: Needs
    since: Instant
    order: int

    @property
    def turn(self) -> tuple[Instant, int]:
        """Lower comes first."""
        return (self.since, self.order)


def may_take(seat: Seat, needs: Needs, advisers: Mapping[str, Adviser]) -> bool:
    """Whether the adviser at this seat has what the call needs; whether the seat is free is another question."""
    adviser = advisers.get(seat.adviser or "")
    return adviser is not None and adviser.surplus(needs) is not None


def choose_seat(waiting: Waiting, ready: Iterable[Seat], advisers: Mapping[str, Adviser]) -> Seat | None:
    """The seat that has rested longest among those that may take the call; None when there is none."""
    able = (seat for seat in ready if may_take(seat, waiting.needs, advisers))
    return min(able, key=lambda seat: (seat.since, seat.number), default=None)
