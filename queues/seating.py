"""The seats of one brain: who has which, what each may be moved to, when its state ends by itself.

Every move of a seat is made here and told; the table of what is legal stands in `seats.py`. What an adviser asks for is
refused with the mend (NotPossible) when it cannot be granted, or waits for the end of the call.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import get_args

from calls.clock import Instant
from calls.errors import NotPossible
from calls.facts import NotAnswered, SeatState
from queues.advisers import Adviser
from queues.events import SeatMoved, SitDown
from queues.idle import IdleSeats
from queues.policy import Profile
from queues.presence import Presence
from queues.seats import AT_WORK, BUSY, Seat

MORE_TIME_S = 60.0
"""By how much wrap-up is longer each time the adviser asks."""

LONGEST_WRAP_UP_S = 300.0
"""From the end of the conversation; callers are waiting."""

LEG_ENDS_S = 0.5
"""The least wrap-up of a seat whose adviser did not hang up: until its leg is ended, the telephone is busy."""

PHONE_GONE, LEFT_EARLY = "phone_gone", "left_early"
"""Why a seat is made not ready that nobody asked to be, beside a call that it did not answer."""

NOBODY_THERE = frozenset({*get_args(NotAnswered), PHONE_GONE, LEFT_EARLY})
"""Reasons of a seat at which there may be nobody."""


class Seating:
    """All seats. `tell` hears of each move; `handled`, of each call, its queue and how long its seat was busy with it (s)."""

    def __init__(
        self,
        seats: Iterable[str],
        advisers: Mapping[str, Adviser],
        wrap_up_s: float,
        tell: Callable[[SeatMoved], None],
        handled: Callable[[str, float], None],
    ) -> None:
        self.presence = Presence(advisers)
        self.idle = IdleSeats()
        self._seats = {number: Seat(number) for number in seats}
        self.states: Counter[SeatState] = Counter(seat.state for seat in self._seats.values())
        """How many seats are in each state."""
        self._wrap_up_s, self._tell, self._handled = wrap_up_s, tell, handled
        self._holds: dict[str, Seat] = {}
        """Which seat a visit has: reserved, ringing or talking."""
        self._taken: dict[str, tuple[str, Instant]] = {}
        """Of each seat that is busy with a caller: of which queue, and since the offer."""
        self._deadlines: list[tuple[Instant, str]] = []
        """A heap of when a seat's state ends by itself; what is out of date is passed over."""

    # --- looking

    def __iter__(self) -> Iterator[Seat]:
        """All seats, in the order of the settings."""
        return iter(self._seats.values())

    def get(self, number: str) -> Seat | None:
        """The seat, if there is one of that number."""
        return self._seats.get(number)

    def seat(self, number: str) -> Seat:
        """Raises NotPossible when there is no such seat."""
        try:
            return self._seats[number]
        except KeyError:
            known = ", ".join(sorted(self._seats))
            raise NotPossible(f"there is no seat {number}; the seats are {known} (setting `seats`)") from None

    def may_be_rung(self, number: str) -> Seat:
        """The seat, if its adviser can be rung now, whoever waits. Raises NotPossible with the reason when not."""
        seat = self.seat(number)
        if seat.adviser is None:
            raise NotPossible(
                f"nobody sits at seat {number}: name an adviser to sit down there, or choose another seat"
            )
        if seat.state in BUSY:
            raise NotPossible(f"seat {number} is {seat.state}: wait for the end of the call, or choose another seat")
        if not seat.reachable:
            raise NotPossible(f"the telephone of seat {number} is not registered: start it, or choose another seat")
        return seat

    def may_be_given(self, number: str) -> Seat:
        """The seat, if a team lead can give its adviser a caller now. Raises NotPossible with the reason when not.

        A pause is no hindrance: the lead sees the adviser, and the pause goes on afterwards. Wrap-up is, because what is
        written of the last call would be lost sight of; so is a seat whose telephone did not answer, or went: nobody may be
        there, and the caller would wait for nothing.
        """
        seat = self.may_be_rung(number)
        if seat.state == "wrap_up":
            raise NotPossible(f"seat {number} is in wrap-up: wait until its adviser is ready, or make them ready first")
        if seat.state == "not_ready" and seat.reason in NOBODY_THERE:
            raise NotPossible(
                f"seat {number} is not ready ({seat.reason}): its adviser must say first that they are there"
            )
        return seat

    def current(self, number: str, generation: int, *states: SeatState) -> Seat | None:
        """The seat, if the answer is to its present reservation; a late answer is nobody's."""
        seat = self._seats.get(number)
        return seat if seat and seat.generation == generation and seat.state in states else None

    def of(self, visit: str) -> Seat | None:
        """The seat that this visit has."""
        return self._holds.get(visit)

    def at_work(self) -> Counter[Profile]:
        """How many advisers of each profile take a call now, or as soon as they are free."""
        return Counter(
            profile
            for seat in self._seats.values()
            if seat.state in AT_WORK and (profile := self.presence.profile(seat.adviser))
        )

    def next_deadline(self) -> Instant | None:
        """When the state of a seat ends by itself."""
        while self._deadlines and self._seats[self._deadlines[0][1]].until != self._deadlines[0][0]:
            heapq.heappop(self._deadlines)
        return self._deadlines[0][0] if self._deadlines else None

    def expired(self, now: Instant) -> Iterator[Seat]:
        """Each seat whose state has ended by itself; to be moved on before the next one is asked for."""
        while self._deadlines and self._deadlines[0][0] <= now:
            until, number = heapq.heappop(self._deadlines)
            seat = self._seats[number]
            if seat.until == until:
                yield seat

    # --- what advisers ask for

    def sit_down(self, event: SitDown, now: Instant) -> None:
        """An adviser is at the seat, ready or not. Raises NotPossible."""
        seat = self.seat(event.seat)
        self.presence.check(event.adviser, seat)
        if seat.state in BUSY and event.adviser != seat.adviser:
            raise NotPossible(f"seat {seat.number} is {seat.state} with adviser {seat.adviser}: wait for the end")
        if seat.state in BUSY:
            seat.afterwards = event.not_ready
            return
        if not seat.reachable:
            raise NotPossible(f"the telephone of seat {seat.number} is not registered: start it, then try again")
        same = seat.adviser == event.adviser
        self.presence.sit(event.adviser, seat)
        if event.not_ready is not None:
            self.move(seat, "not_ready", event.not_ready, now)
        elif not (same and seat.state == "ready"):  # pressing "ready" twice does not cost the seat its rest
            self.move(seat, "ready", "", now)

    def stand_up(self, seat: Seat, reason: str, now: Instant) -> None:
        """A pause, now or after the call. Raises NotPossible."""
        if seat.state == "logged_out":
            raise NotPossible(f"nobody sits at seat {seat.number}: name an adviser to sit down there first")
        if seat.state in BUSY:
            seat.afterwards = reason
        else:
            self.move(seat, "not_ready", reason, now)

    def more_time(self, seat: Seat, now: Instant) -> None:
        """A longer wrap-up. Raises NotPossible."""
        if seat.state != "wrap_up" or seat.until is None:
            raise NotPossible(f"seat {seat.number} is {seat.state}: more time is for wrap-up, after a conversation")
        until = min(seat.until + MORE_TIME_S, max(seat.until, seat.since + LONGEST_WRAP_UP_S))
        if until == seat.until:
            reason = f"the wrap-up of seat {seat.number} is as long as it may be, {LONGEST_WRAP_UP_S:.0f} s"
            raise NotPossible(f"{reason}: say that you are not ready, with the reason, if you need longer")
        seat.until = Instant(until)
        heapq.heappush(self._deadlines, (seat.until, seat.number))
        left_s = until - now
        self._tell(SeatMoved(seat.number, seat.adviser, "wrap_up", f"more time, {left_s:.0f} s left"))

    def log_out(self, seat: Seat, now: Instant) -> None:
        """The adviser leaves. Raises NotPossible."""
        if seat.state in BUSY:
            raise NotPossible(f"seat {seat.number} is {seat.state}: end the call first")
        if seat.state != "logged_out":
            self.move(seat, "logged_out", "", now)

    # --- what calls do to them

    def hold(self, visit: str, seat: Seat) -> None:
        """The seat is this visit's from now on."""
        self._holds.pop(seat.visit or "", None)
        seat.visit = visit
        self._holds[visit] = seat

    def taken(self, seat: Seat, queue: str) -> None:
        """The seat is busy with a caller of that queue, since the offer."""
        self._taken[seat.number] = (queue, seat.since)

    def done_with(self, seat: Seat, now: Instant, *, lost: bool, hung_up: bool) -> None:
        """The caller is gone: wrap-up, if the telephone is there still."""
        if lost or not seat.reachable:
            self.move(seat, "not_ready", PHONE_GONE, now)
        else:
            wrap_up_s = self._wrap_up_s if hung_up else max(self._wrap_up_s, LEG_ENDS_S)
            self.move(seat, "wrap_up", "", now, until=Instant(now + wrap_up_s))

    def free(self, seat: Seat, reason: str, now: Instant) -> None:
        """Back to work, unless the telephone went or the adviser asked for a pause meanwhile."""
        if not seat.reachable:
            self.move(seat, "not_ready", PHONE_GONE, now)
        elif seat.afterwards is not None:
            self.move(seat, "not_ready", seat.afterwards, now)
        else:
            self.move(seat, "ready", reason, now)

    def let_go_of(self, seat: Seat, now: Instant) -> None:
        """Whoever asked its adviser does so no more: its leg is to be ended, and a wrap-up that was broken off goes on."""
        if not seat.reachable or seat.afterwards is not None:
            self.free(seat, "caller_left", now)
        else:
            until = max(now + LEG_ENDS_S, seat.wrap_up_until or 0.0)
            self.move(seat, "wrap_up", "caller_left", now, until=Instant(until))

    def move(self, seat: Seat, state: SeatState, reason: str, now: Instant, until: Instant | None = None) -> None:
        """To another state of the table, until then at most. Raises IllegalMove; nothing has changed then."""
        visit, adviser = seat.visit, seat.adviser
        before = seat.state
        seat.move(state, reason, now, until)
        self.states[before] -= 1
        self.states[state] += 1
        if seat.visit is None and visit is not None:
            del self._holds[visit]
        if seat.adviser is None and adviser is not None:
            self.presence.leave(adviser)
        if before == "ready":
            self.idle.remove(seat.number)
        if state not in ("talking", "holding", "wrap_up"):
            self._note_handled(seat, now, whole=before == "wrap_up")
        if state == "ready":
            self._note_idle(seat)
        if until is not None:
            heapq.heappush(self._deadlines, (until, seat.number))
        self._tell(SeatMoved(seat.number, seat.adviser, state, reason))

    def configure(self, advisers: Mapping[str, Adviser], closed_sites: frozenset[str]) -> None:
        """A new file of advisers: who sits stays, and may take what the file says by now."""
        self.presence.configure(advisers)
        self.idle = IdleSeats()
        self.idle.lend(closed_sites)
        for seat in self._seats.values():
            if seat.state == "ready":
                self._note_idle(seat)

    def _note_handled(self, seat: Seat, now: Instant, *, whole: bool) -> None:
        """The seat is done with its caller, if it had one; `whole`: to the end of wrap-up."""
        taken = self._taken.pop(seat.number, None)
        if taken and whole:
            queue, since = taken
            self._handled(queue, now - since)

    def _note_idle(self, seat: Seat) -> None:
        if profile := self.presence.profile(seat.adviser):  # who is in the file no more is offered no call
            self.idle.add(seat, seat.adviser or "", profile)
