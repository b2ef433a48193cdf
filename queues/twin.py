"""The twin: the very engine that runs the hotline, under a virtual clock, on calls and shifts that are given to it.

    outcomes = live(calls, shifts, advisers, queues, wrap_up_s=30)

It decides nothing itself: it tells the engine who calls, who gives up, who answers at once and how long they talk, and
writes down what became of each call. No randomness: that is in the making of the calls (`forecast.py`), by a seed; so
the same calls have the same outcomes, to the last digit.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Mapping
from itertools import count
from operator import itemgetter
from typing import Literal, NamedTuple

import msgspec

from calls.clock import Instant
from calls.words import Needs
from queues.advisers import Adviser
from queues.engine import Engine
from queues.events import (
    Accepted,
    Answered,
    Calling,
    ConversationOver,
    Input,
    Join,
    Leave,
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
    asks: bool = False
    """Would rather be called back, when that is offered."""
    at_home: tuple[bool, ...] = (True,)
    """Whether the citizen answers, of each time that they are called back; as often are they tried."""


class Shift(msgspec.Struct, frozen=True):
    """An adviser is at a seat from one moment to another, and ready."""

    seat: str
    adviser: str
    begin_s: float
    end_s: float


class CallingBack(msgspec.Struct, frozen=True):
    """How people are called back. Seconds."""

    offer_after_s: float = 45.0
    """It is offered to whoever waits so long."""
    missed_after_s: float | None = None
    """Whoever gives up after so long is called back in the gaps; None: nobody who gives up."""
    again_after_s: float = 600.0
    answers_s: float = 8.0
    """What an adviser waits for a citizen who answers."""
    rings_s: float = 25.0
    """For one who does not."""


class Outcome(msgspec.Struct, frozen=True):
    """What became of a call."""

    call: Call
    how: Literal["answered", "abandoned", "asked", "full", "no_seat"]
    """`asked`: to be called back."""
    waited_s: float
    adviser: str = ""
    expected: ExpectedWait | None = None
    """What the engine expected as the wait began, if it was asked; None also when there was no wait."""
    back: Literal["", "reached", "not_reached", "never"] = ""
    """What became of calling them back; `never`: nobody was there to do it."""
    back_s: float = 0.0
    """From the arrival to the citizen's answer to us."""
    ringing_s: float = 0.0
    """What the attempts cost the advisers."""


def live(
    calls: Iterable[Call],
    shifts: Iterable[Shift],
    advisers: Mapping[str, Adviser],
    queues: Mapping[str, QueueRules],
    wrap_up_s: float,
    *,
    ask_expected: bool = False,
    calling_back: CallingBack | None = None,
) -> list[Outcome]:
    """From the first moment until the last call is over. One outcome a call, in the order in which they were decided.

    `ask_expected`: the engine is asked for each expected wait, which takes longer. None are called back unless told how.
    """
    day = _Day(shifts, advisers, queues, wrap_up_s, ask_expected, calling_back)
    for call in calls:
        day.call(call)
    return day.run()


class _Asks(NamedTuple):
    """The caller would rather be called back now."""

    visit: str


class _Tries(NamedTuple):
    """An attempt to call back is due."""

    visit: str


class _Answers(NamedTuple):
    """The citizen answers us, or will not."""

    visit: str
    seat: str
    generation: int


class _Owed:
    """Somebody is to be called back."""

    def __init__(self, first: Outcome, visit: str, needs: Needs) -> None:
        self.first, self.needs, self.tried = first, needs, 0
        self.ringing_s = self.back_s = 0.0
        self._visit = visit

    @property
    def attempt(self) -> str:
        """The visit of the attempt that is due."""
        return f"{self._visit}.back{self.tried}"

    def outcome(self, back: Literal["reached", "not_reached", "never"]) -> Outcome:
        """What became of it in the end."""
        return msgspec.structs.replace(self.first, back=back, back_s=self.back_s, ringing_s=self.ringing_s)


_Happens = Input | _Asks | _Tries | _Answers


class _Day:
    """What happens when: what was given, in order, and a heap of what comes of it, which stays small.

    What is out of date (a patience that was not needed) changes nothing.
    """

    def __init__(
        self,
        shifts: Iterable[Shift],
        advisers: Mapping[str, Adviser],
        queues: Mapping[str, QueueRules],
        wrap_up_s: float,
        ask_expected: bool,
        calling_back: CallingBack | None,
    ) -> None:
        shifts = list(shifts)
        self._ask_expected, self._calling_back = ask_expected, calling_back
        self._engine = Engine(sorted({shift.seat for shift in shifts}), advisers, queues, wrap_up_s)
        self._given: list[tuple[float, Input]] = []
        self._ahead: list[tuple[float, int, _Happens]] = []
        self._order = count()
        self._calls: dict[str, Call] = {}
        """Those who have not been answered, and did not leave."""
        self._expected: dict[str, ExpectedWait | None] = {}
        self._owed: dict[str, _Owed] = {}
        """By the visit of the present attempt."""
        self._outcomes: list[Outcome] = []
        self._told_of = 0.0
        """The deadline for which the engine has a tick ahead."""
        for shift in shifts:
            self._given.append((0.0, PhoneSeen(shift.seat, reachable=True)))
            self._given.append((shift.begin_s, SitDown(shift.seat, shift.adviser)))
            self._given.append((shift.end_s, StandUp(shift.seat, "shift_over")))

    def call(self, call: Call) -> None:
        visit = f"call{len(self._calls) + 1}.1"
        self._calls[visit] = call
        self._given.append((call.at_s, Join(visit, call.needs, Instant(call.at_s))))

    def run(self) -> list[Outcome]:
        for now, event in self._in_order():
            match event:
                case Join():
                    self._take(event, now)
                    self._waits(event.visit, now)
                case _Asks():
                    self._asks(event.visit, now)
                case _Tries():
                    self._tries(event.visit, now)
                case _Answers():
                    self._answers(event, now)
                case Leave() if not self._gives_up(event.visit, now):
                    continue
                case _:
                    self._take(event, now)
            self._wake_in_time(now)
        self._outcomes += [owed.outcome("never") for owed in self._owed.values()]
        return self._outcomes

    def _in_order(self) -> Iterator[tuple[float, _Happens]]:
        """At the same moment what was given comes first."""
        for moment, event in sorted(self._given, key=itemgetter(0)):
            while self._ahead and self._ahead[0][0] < moment:
                now, _, follows = heapq.heappop(self._ahead)
                yield now, follows
            yield moment, event
        while self._ahead:
            now, _, follows = heapq.heappop(self._ahead)
            yield now, follows

    def _take(self, event: Input, now: float) -> None:
        for output in self._engine.take(event, Instant(now)):
            match output:
                case Propose():
                    self._offered(output, now)
                case TurnedAway():
                    self._outcomes.append(Outcome(self._calls.pop(output.visit), output.reason, 0.0))

    def _waits(self, visit: str, now: float) -> None:
        call, back = self._calls.get(visit), self._calling_back
        if call is None:
            return
        self._at(now + call.patience_s, Leave(visit))
        if back and call.asks and call.patience_s > back.offer_after_s:
            self._at(now + back.offer_after_s, _Asks(visit))
        if self._ask_expected:
            self._expected[visit] = self._engine.expected(visit, Instant(now))

    def _at(self, moment: float, event: _Happens) -> None:
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
            outcome = Outcome(call, "abandoned", now - call.at_s, expected=self._expected.pop(visit, None))
            after_s = self._calling_back.missed_after_s if self._calling_back else None
            if after_s is not None and outcome.waited_s >= after_s:
                self._owe(_Owed(outcome, visit, msgspec.structs.replace(call.needs, urgency="spare")), now)
            else:
                self._outcomes.append(outcome)
        return call is not None

    def _offered(self, offer: Propose, now: float) -> None:
        """The adviser accepts at once; and answers, unless it is to call back."""
        visit, seat, generation = offer.visit, offer.seat, offer.generation
        self._engine.take(Accepted(seat, generation), Instant(now))
        if visit in self._owed:
            self._rings(visit, seat, generation, now)
            return
        self._engine.take(Answered(seat, generation), Instant(now))
        call = self._calls.pop(visit)
        expected = self._expected.pop(visit, None)
        self._outcomes.append(Outcome(call, "answered", now - call.at_s, offer.adviser, expected))
        self._at(now + call.handling_s, ConversationOver(seat, visit, hung_up=True))

    # --- calling back

    def _asks(self, visit: str, now: float) -> None:
        if call := self._calls.pop(visit, None):
            outcome = Outcome(call, "asked", now - call.at_s, expected=self._expected.pop(visit, None))
            self._take(Leave(visit), now)
            self._owe(_Owed(outcome, visit, call.needs), now)

    def _owe(self, owed: _Owed, now: float) -> None:
        self._owed[owed.attempt] = owed
        self._at(now, _Tries(owed.attempt))

    def _tries(self, visit: str, now: float) -> None:
        owed = self._owed[visit]
        self._take(Join(visit, owed.needs, Instant(owed.first.call.at_s), returned=True, away=True), now)

    def _answers(self, event: _Answers, now: float) -> None:
        owed, back = self._owed.pop(event.visit), self._calling_back
        assert back is not None, "somebody is called back"
        call = owed.first.call
        if call.at_home[owed.tried - 1]:
            owed.back_s = now - call.at_s
            self._outcomes.append(owed.outcome("reached"))
            self._take(Answered(event.seat, event.generation), now)
            self._at(now + call.handling_s, ConversationOver(event.seat, event.visit, hung_up=True))
            return
        self._take(ConversationOver(event.seat, event.visit, hung_up=True), now)
        if owed.tried < len(call.at_home):
            self._owed[owed.attempt] = owed
            self._at(now + back.again_after_s, _Tries(owed.attempt))
        else:
            self._outcomes.append(owed.outcome("not_reached"))

    def _rings(self, visit: str, seat: str, generation: int, now: float) -> None:
        owed, back = self._owed[visit], self._calling_back
        assert back is not None, "somebody is called back"
        ringing_s = back.answers_s if owed.first.call.at_home[owed.tried] else back.rings_s
        owed.tried += 1
        owed.ringing_s += ringing_s
        self._take(Calling(seat, generation), now)
        self._at(now + ringing_s, _Answers(visit, seat, generation))
