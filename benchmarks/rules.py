"""Other rules for who speaks to whom, lived through on the same calls and shifts as `queues.twin.live`, to compare with.

`first_come_first_served`: strictly by arrival, to whichever idle adviser who may take the call has rested longest. Needs do
not relax, nobody is kept free for whom only they can help. Whom no idle adviser may take does not hold up the next.

`app_queue`: as Asterisk's own queue does it (app_queue.c): a queue for each topic, none knows of the others; the head of a
queue looks for an idle member once a second, counted from when it came; who stands behind it waits, whoever is idle.
"""

from __future__ import annotations

import heapq
import math
from abc import ABC, abstractmethod
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from itertools import count

from calls.clock import Instant
from queues.advisers import Adviser
from queues.policy import ask_of, fit
from queues.twin import Call, Outcome, Shift

LOOKS_EVERY_S = 1.0

Rule = Callable[[Sequence[Call], Sequence[Shift], Mapping[str, Adviser], float], list[Outcome]]


def first_come_first_served(
    calls: Sequence[Call], shifts: Sequence[Shift], advisers: Mapping[str, Adviser], wrap_up_s: float
) -> list[Outcome]:
    """One outcome a call."""
    return _Fcfs(calls, shifts, advisers, wrap_up_s).run()


def app_queue(
    calls: Sequence[Call], shifts: Sequence[Shift], advisers: Mapping[str, Adviser], wrap_up_s: float
) -> list[Outcome]:
    """One outcome a call."""
    return _AppQueue(calls, shifts, advisers, wrap_up_s).run()


class _Hall(ABC):
    """Who is idle since when, what happens when, and what became of whom."""

    def __init__(
        self, calls: Iterable[Call], shifts: Iterable[Shift], advisers: Mapping[str, Adviser], wrap_up_s: float
    ) -> None:
        self._advisers, self._wrap_up_s = advisers, wrap_up_s
        self._ends: dict[str, float] = {}
        self._idle: dict[str, float] = {}
        self._waiting: dict[int, Call] = {}
        """By the order of arrival."""
        self._outcomes: list[Outcome] = []
        self._fits: dict[str, dict[str, bool]] = {}
        """By topic and seat: whether this adviser may take such calls."""
        self._order = count()
        self._ahead: list[tuple[float, int, Callable[[float], None]]] = []
        for shift in shifts:
            self._ends[shift.seat] = shift.end_s
            self._at(shift.begin_s, self._free(shift.seat))
        for number, call in enumerate(calls):
            self._at(call.at_s, self._arrive(number, call))

    def run(self) -> list[Outcome]:
        while self._ahead:
            now, _, happen = heapq.heappop(self._ahead)
            happen(now)
        return self._outcomes

    def _at(self, moment: float, happen: Callable[[float], None]) -> None:
        heapq.heappush(self._ahead, (moment, next(self._order), happen))

    def _free(self, seat: str) -> Callable[[float], None]:
        def free(now: float) -> None:
            if now < self._ends[seat]:
                self._idle[seat] = now
                self._at(self._ends[seat], lambda _: self._leave(seat))
                self._somebody_is_free(now)

        return free

    def _leave(self, seat: str) -> None:
        self._idle.pop(seat, None)

    def _arrive(self, number: int, call: Call) -> Callable[[float], None]:
        def arrive(now: float) -> None:
            self._waiting[number] = call
            self._at(now + call.patience_s, lambda then: self._give_up(number, then))
            self._somebody_waits(number, call, now)

        return arrive

    def _give_up(self, number: int, now: float) -> None:
        if call := self._waiting.pop(number, None):
            self._outcomes.append(Outcome(call, "abandoned", now - call.at_s))

    def _serve(self, number: int, now: float) -> bool:
        """Whether an idle adviser takes this call; the one who has rested longest."""
        call = self._waiting[number]
        may = [seat for seat in self._idle if self._may_take(seat, call)]
        if not may:
            return False
        seat = min(may, key=lambda each: (self._idle[each], each))
        del self._idle[seat], self._waiting[number]
        self._outcomes.append(Outcome(call, "answered", now - call.at_s, seat))
        self._at(now + call.handling_s + self._wrap_up_s, self._free(seat))
        return True

    def _may_take(self, seat: str, call: Call) -> bool:
        known = self._fits.setdefault(call.needs.queue, {})
        if seat not in known:
            ask = ask_of(call.needs, (), Instant(0), Instant(0))
            known[seat] = isinstance(fit(self._advisers[seat].profile, ask), int)
        return known[seat]

    @abstractmethod
    def _somebody_waits(self, number: int, call: Call, now: float) -> None:
        """The rule, when a call comes."""

    @abstractmethod
    def _somebody_is_free(self, now: float) -> None:
        """The rule, when an adviser is idle."""


class _Fcfs(_Hall):
    def _somebody_waits(self, number: int, call: Call, now: float) -> None:
        self._serve(number, now)

    def _somebody_is_free(self, now: float) -> None:
        """The first of each topic, by arrival; who stands behind one who cannot be served cannot be either."""
        while self._idle:
            first: dict[str, int] = {}
            for number, call in self._waiting.items():
                first.setdefault(call.needs.queue, number)
            if not any(self._serve(number, now) for number in first.values()):
                return


class _AppQueue(_Hall):
    def __init__(
        self, calls: Iterable[Call], shifts: Iterable[Shift], advisers: Mapping[str, Adviser], wrap_up_s: float
    ) -> None:
        super().__init__(calls, shifts, advisers, wrap_up_s)
        self._lines: dict[str, deque[tuple[int, Call]]] = defaultdict(deque)

    def _somebody_waits(self, number: int, call: Call, now: float) -> None:
        line = self._lines[call.needs.queue]
        line.append((number, call))
        if len(line) == 1:
            self._look(call.needs.queue, now)

    def _somebody_is_free(self, now: float) -> None:
        """Nobody is told: each head looks when its second is over."""

    def _give_up(self, number: int, now: float) -> None:
        call = self._waiting.get(number)
        super()._give_up(number, now)
        if call is None:
            return
        line = self._lines[call.needs.queue]
        was_head = line[0][0] == number
        line.remove((number, call))
        if was_head:
            self._next(call.needs.queue, now)

    def _next(self, queue: str, now: float) -> None:
        """Another is the head now, and looks when its own second is over."""
        if line := self._lines[queue]:
            since = line[0][1].at_s
            seconds = math.floor((now - since) / LOOKS_EVERY_S + 1e-6) + 1
            self._at(since + seconds * LOOKS_EVERY_S, partial(self._look_again, queue, line[0][0]))

    def _look_again(self, queue: str, head: int, now: float) -> None:
        line = self._lines[queue]
        if line and line[0][0] == head:
            self._look(queue, now)

    def _look(self, queue: str, now: float) -> None:
        number, _ = self._lines[queue][0]
        if self._serve(number, now):
            self._lines[queue].popleft()
        self._next(queue, now)
