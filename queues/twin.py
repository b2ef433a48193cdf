"""The twin: the very engine that runs the hotline, under a virtual clock, on calls and shifts that are given to it.

    outcomes = live(calls, shifts, advisers, queues, wrap_up_s=30)

It decides nothing itself: it tells the engine who calls, who gives up, who answers at once and how long they talk, and
writes down what became of each call. No randomness: that is in the making of the calls (`forecast.py`), by a seed; so
the same calls have the same outcomes, to the last digit.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping
from itertools import count
from typing import Literal

import msgspec

from calls.clock import Instant
from calls.words import Needs
from queues.advisers import Adviser
from queues.engine import Engine
from queues.events import (
    Accepted,
    Answered,
    ConversationOver,
    Input,
    Join,
    Leave,
    Output,
    PhoneSeen,
    Propose,
    QueueRules,
    SitDown,
    StandUp,
    Tick,
    TurnedAway,
)
from queues.expected import ExpectedWait


class Call(msgspec.Struct, frozen=True):
    """A citizen calls. All in seconds, `at_s` from the beginning."""

    at_s: float
    needs: Needs
    handling_s: float
    """How long the conversation will take."""
    patience_s: float
    """How long the caller will wait."""


class Shift(msgspec.Struct, frozen=True):
    """An adviser is at a seat from one moment to another, and ready."""

    seat: str
    adviser: str
    begin_s: float
    end_s: float


class Outcome(msgspec.Struct, frozen=True):
    """What became of a call."""

    call: Call
    how: Literal["answered", "abandoned", "full", "no_seat"]
    waited_s: float
    adviser: str = ""
    expected: ExpectedWait | None = None
    """What the engine expected as the wait began, if it was asked; None also when there was no wait."""


def live(
    calls: Iterable[Call],
    shifts: Iterable[Shift],
    advisers: Mapping[str, Adviser],
    queues: Mapping[str, QueueRules],
    wrap_up_s: float,
    *,
    ask_expected: bool = False,
) -> list[Outcome]:
    """From the first moment until the last call is over. One outcome a call, in the order in which they were decided.

    `ask_expected`: the engine is asked for each expected wait, which takes longer.
    """
    day = _Day(shifts, advisers, queues, wrap_up_s, ask_expected)
    for call in calls:
        day.call(call)
    return day.run()


class _Day:
    """A heap of what happens when. What is out of date (a patience that was not needed) changes nothing."""

    def __init__(
        self,
        shifts: Iterable[Shift],
        advisers: Mapping[str, Adviser],
        queues: Mapping[str, QueueRules],
        wrap_up_s: float,
        ask_expected: bool,
    ) -> None:
        shifts = list(shifts)
        self._ask_expected = ask_expected
        self._engine = Engine(sorted({shift.seat for shift in shifts}), advisers, queues, wrap_up_s)
        self._ahead: list[tuple[float, int, Input]] = []
        self._order = count()
        self._calls: dict[str, Call] = {}
        """Those who have not been answered, and did not leave."""
        self._expected: dict[str, ExpectedWait | None] = {}
        self._outcomes: list[Outcome] = []
        self._told_of = 0.0
        """The deadline for which the engine has a tick ahead."""
        for shift in shifts:
            self._at(0.0, PhoneSeen(shift.seat, reachable=True))
            self._at(shift.begin_s, SitDown(shift.seat, shift.adviser))
            self._at(shift.end_s, StandUp(shift.seat, "shift_over"))

    def call(self, call: Call) -> None:
        visit = f"call{len(self._calls) + 1}.1"
        self._calls[visit] = call
        self._at(call.at_s, Join(visit, call.needs, Instant(call.at_s)))

    def run(self) -> list[Outcome]:
        while self._ahead:
            now, _, event = heapq.heappop(self._ahead)
            if isinstance(event, Leave) and not self._gives_up(event.visit, now):
                continue
            for output in self._engine.take(event, Instant(now)):
                self._carry_out(output, now)
            if isinstance(event, Join) and event.visit in self._calls:
                self._at(now + self._calls[event.visit].patience_s, Leave(event.visit))
                if self._ask_expected:
                    self._expected[event.visit] = self._engine.expected(event.visit, Instant(now))
            self._wake_in_time(now)
        return self._outcomes

    def _at(self, moment: float, event: Input) -> None:
        heapq.heappush(self._ahead, (moment, next(self._order), event))

    def _wake_in_time(self, now: float) -> None:
        deadline = self._engine.next_deadline()
        if deadline is not None and deadline != self._told_of:
            self._told_of = deadline
            self._at(max(now, deadline), Tick())

    def _gives_up(self, visit: str, now: float) -> bool:
        """Whether somebody still waits whose patience ends."""
        call = self._calls.pop(visit, None)
        if call is not None:
            self._outcomes.append(Outcome(call, "abandoned", now - call.at_s, expected=self._expected.pop(visit, None)))
        return call is not None

    def _carry_out(self, output: Output, now: float) -> None:
        match output:
            case Propose(visit=visit, seat=seat, generation=generation):
                self._engine.take(Accepted(seat, generation), Instant(now))
                self._engine.take(Answered(seat, generation), Instant(now))
                call = self._calls.pop(visit)
                expected = self._expected.pop(visit, None)
                self._outcomes.append(Outcome(call, "answered", now - call.at_s, output.adviser, expected))
                self._at(now + call.handling_s, ConversationOver(seat, visit, hung_up=True))
            case TurnedAway(visit=visit, reason=reason):
                self._outcomes.append(Outcome(self._calls.pop(visit), reason, 0.0))
