"""The engine: `take(input, now)` changes its state and answers with decisions, the same ones every time.

Propose, reserve, commit: a decision reserves the seat under a new generation number; the edge answers `Accepted` and rings
it, or the reservation expires. An answer to an old generation changes nothing, so two brains by accident cost order, never
a double booking: whoever accepts looks whether the seat rings under that generation (`rings`) before ringing it.

Who waits is in one of two dictionaries: `_waiting`, who is in the turn, or `_held`, for whom a seat is reserved or rings.
What happened to a seat or a visit that nobody knows (any more) changes nothing; a wish about one is refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import chain
from typing import Literal, assert_never

from calls.clock import Instant
from calls.errors import NotPossible
from calls.facts import SeatState
from queues.advisers import Adviser
from queues.events import (
    Accepted,
    Answered,
    ConversationOver,
    Input,
    Join,
    Leave,
    LogOut,
    NotAnswered,
    Output,
    PhoneSeen,
    Propose,
    QueueRules,
    SeatMoved,
    SitDown,
    StandUp,
    Talking,
    Tick,
    TurnedAway,
)
from queues.policy import Waiting, choose_seat, may_take
from queues.seats import BUSY, Seat

RESERVATION_S = 5.0
"""A reservation that nobody accepts ends after this long: the edge accepts within milliseconds or is dead."""

LEG_ENDS_S = 0.5
"""The least wrap-up of a seat whose adviser did not hang up: until its leg is ended, the telephone is busy."""

NOT_KNOWN = QueueRules(max_waiting=0)

PHONE_GONE = "phone_gone"


class Engine:
    """The waiting room and the seats of one brain."""

    def __init__(
        self,
        seats: Iterable[str],
        advisers: Mapping[str, Adviser],
        queues: Mapping[str, QueueRules],
        wrap_up_s: float,
    ) -> None:
        self.advisers, self.queues, self._wrap_up_s = advisers, queues, wrap_up_s
        self._seats = {number: Seat(number) for number in seats}
        self._waiting: dict[str, Waiting] = {}
        self._held: dict[str, Waiting] = {}
        """Callers for whom a seat is reserved or rings: no longer in the turn, not yet gone from it."""
        self._order = 0
        self._out: list[Output] = []

    # --- what others may look at

    def seat(self, number: str) -> Seat:
        """Raises NotPossible when there is no such seat."""
        try:
            return self._seats[number]
        except KeyError:
            known = ", ".join(sorted(self._seats))
            raise NotPossible(f"there is no seat {number}; the seats are {known} (setting `seats`)") from None

    def seats(self) -> Iterable[Seat]:
        """All seats, in the order of the settings."""
        return self._seats.values()

    def waiting(self, queue: str | None = None) -> list[Waiting]:
        """Who waits or is being rung for, first turn first."""
        return sorted(self._in_queue(queue), key=lambda one: one.turn)

    def _in_queue(self, queue: str | None) -> Iterable[Waiting]:
        everyone = chain(self._waiting.values(), self._held.values())
        return (one for one in everyone if queue in (None, one.needs.queue))

    def position(self, visit: str) -> int | None:
        """1 for the next in turn among those of the same queue; None when the visit does not wait."""
        mine = self._waiting.get(visit) or self._held.get(visit)
        if mine is None:
            return None
        return 1 + sum(one.turn < mine.turn for one in self._in_queue(mine.needs.queue))

    def rings(self, seat: str, generation: int) -> bool:
        """Whether the seat rings for the reservation of this generation: only then may its telephone be rung."""
        return self._current(seat, generation, "ringing") is not None

    def next_deadline(self) -> Instant | None:
        """When a `Tick` is wanted at the latest."""
        return min((seat.until for seat in self._seats.values() if seat.until is not None), default=None)

    # --- the one way in

    def take(self, event: Input, now: Instant) -> list[Output]:
        """Carry out one input. Raises NotPossible for a wish that cannot be granted; the state is then unchanged."""
        self._out = []
        self._apply(event, now)
        self._expire(now)
        self._match(now)
        return self._out

    def _apply(self, event: Input, now: Instant) -> None:  # noqa: PLR0912 - one case an input, each one line
        match event:
            case Join():
                self._join(event)
            case Leave():
                self._leave(event.visit, now)
            case SitDown():
                self._sit_down(event, now)
            case StandUp():
                self._stand_up(self.seat(event.seat), event.reason, now)
            case LogOut():
                self._log_out(self.seat(event.seat), now)
            case PhoneSeen():
                self._phone_seen(event, now)
            case Accepted():
                if seat := self._current(event.seat, event.generation, "reserved"):
                    self._move(seat, "ringing", "", now)
            case Answered():
                if seat := self._current(event.seat, event.generation, "ringing"):
                    self._held.pop(seat.visit or "", None)
                    self._move(seat, "talking", "", now)
            case NotAnswered():
                if seat := self._current(event.seat, event.generation, "reserved", "ringing"):
                    self._put_back(seat)
                    self._move(seat, "not_ready", event.reason, now)
            case Talking():
                self._found_talking(event, now)
            case ConversationOver():
                self._conversation_over(event, now)
            case Tick():
                pass
            case _:
                assert_never(event)

    # --- callers

    def _join(self, event: Join) -> None:
        if event.visit in self._waiting or any(seat.visit == event.visit for seat in self._seats.values()):
            return
        waiting = Waiting(event.visit, event.needs, event.since, self._order)
        if not event.returned and (reason := self._no_room(waiting)):
            self._out.append(TurnedAway(event.visit, reason))
            return
        self._order += 1
        self._waiting[event.visit] = waiting

    def _no_room(self, waiting: Waiting) -> Literal["full", "no_seat"] | None:
        """Why a new caller cannot wait. Whoever need not wait, because a seat is free, is not one too many."""
        if not any(may_take(seat, waiting.needs, self.advisers) for seat in self._seats.values()):
            return "no_seat"
        room = self.queues.get(waiting.needs.queue, NOT_KNOWN).max_waiting
        if sum(1 for _ in self._in_queue(waiting.needs.queue)) < room:
            return None
        return None if choose_seat(waiting, self._offerable(), self.advisers) else "full"

    def _leave(self, visit: str, now: Instant) -> None:
        self._waiting.pop(visit, None)
        self._held.pop(visit, None)
        for seat in self._seats.values():
            if seat.visit == visit and seat.state in ("reserved", "ringing"):
                self._free(seat, "caller_left", now)

    def _put_back(self, seat: Seat) -> None:
        """Whoever the seat was held for is in the turn again, where the first wait says."""
        if seat.visit in self._held:
            self._waiting[seat.visit] = self._held.pop(seat.visit)

    # --- seats

    def _current(self, number: str, generation: int, *states: SeatState) -> Seat | None:
        """The seat, if the answer is to its present reservation; a late answer is nobody's."""
        seat = self._seats.get(number)
        return seat if seat and seat.generation == generation and seat.state in states else None

    def _sit_down(self, event: SitDown, now: Instant) -> None:
        seat = self.seat(event.seat)
        self._may_sit(event, seat)
        if seat.state in BUSY:
            seat.afterwards = event.not_ready
            return
        if not seat.reachable:
            raise NotPossible(f"the telephone of seat {seat.number} is not registered: start it, then try again")
        same, seat.adviser = seat.adviser == event.adviser, event.adviser
        if event.not_ready is not None:
            self._move(seat, "not_ready", event.not_ready, now)
        elif not (same and seat.state == "ready"):  # pressing "ready" twice does not cost the seat its rest
            self._move(seat, "ready", "", now)

    def _may_sit(self, event: SitDown, seat: Seat) -> None:
        """Raises NotPossible, with the reason, when this adviser cannot be at this seat now."""
        if event.adviser not in self.advisers:
            raise NotPossible(f"there is no adviser {event.adviser}; add the number to lines/advisers.yaml and reload")
        elsewhere = next((s for s in self._seats.values() if s.adviser == event.adviser and s is not seat), None)
        if elsewhere:
            raise NotPossible(f"adviser {event.adviser} sits at seat {elsewhere.number}: log out there first")
        if seat.state in BUSY and event.adviser != seat.adviser:
            raise NotPossible(f"seat {seat.number} is {seat.state} with adviser {seat.adviser}: wait for the end")

    def _stand_up(self, seat: Seat, reason: str, now: Instant) -> None:
        if seat.state == "logged_out":
            raise NotPossible(f"nobody sits at seat {seat.number}: name an adviser to sit down there first")
        if seat.state in BUSY:
            seat.afterwards = reason
        else:
            self._move(seat, "not_ready", reason, now)

    def _log_out(self, seat: Seat, now: Instant) -> None:
        if seat.state in BUSY:
            raise NotPossible(f"seat {seat.number} is {seat.state}: end the call first")
        if seat.state != "logged_out":
            self._move(seat, "logged_out", "", now)

    def _phone_seen(self, event: PhoneSeen, now: Instant) -> None:
        seat = self._seats.get(event.seat)
        if seat is None:
            return
        seat.reachable = event.reachable
        if not event.reachable and seat.state in ("ready", "wrap_up", "reserved"):
            self._put_back(seat)
            self._move(seat, "not_ready", PHONE_GONE, now)

    def _found_talking(self, event: Talking, now: Instant) -> None:
        seat = self._seats.get(event.seat)
        if seat is None or (seat.state == "talking" and seat.visit == event.visit):
            return
        seat.check("talking", "found")
        self._put_back(seat)
        seat.adviser, seat.visit = event.adviser, event.visit
        self._move(seat, "talking", "found", now)

    def _conversation_over(self, event: ConversationOver, now: Instant) -> None:
        seat = self._seats.get(event.seat)
        if seat is None or seat.state != "talking" or seat.visit != event.visit:
            return
        if event.lost or not seat.reachable:
            self._move(seat, "not_ready", PHONE_GONE, now)
        else:
            wrap_up_s = self._wrap_up_s if event.hung_up else max(self._wrap_up_s, LEG_ENDS_S)
            self._move(seat, "wrap_up", "", now, until=Instant(now + wrap_up_s))

    def _free(self, seat: Seat, reason: str, now: Instant) -> None:
        """Back to work, unless the telephone went or the adviser asked for a pause meanwhile."""
        if not seat.reachable:
            self._move(seat, "not_ready", PHONE_GONE, now)
        elif seat.afterwards is not None:
            self._move(seat, "not_ready", seat.afterwards, now)
        else:
            self._move(seat, "ready", reason, now)

    def _move(self, seat: Seat, state: SeatState, reason: str, now: Instant, until: Instant | None = None) -> None:
        seat.move(state, reason, now, until)
        self._out.append(SeatMoved(seat.number, seat.adviser, state, reason))

    # --- time and turns

    def _expire(self, now: Instant) -> None:
        for seat in self._seats.values():
            if seat.until is None or now < seat.until:
                continue
            self._put_back(seat)
            self._free(seat, "reservation_expired" if seat.state == "reserved" else "wrap_up_over", now)

    def _offerable(self) -> list[Seat]:
        return [seat for seat in self._seats.values() if seat.state == "ready" and seat.reachable]

    def _match(self, now: Instant) -> None:
        ready = self._offerable()
        if not ready or not self._waiting:
            return
        for waiting in sorted(self._waiting.values(), key=lambda one: one.turn):
            seat = choose_seat(waiting, ready, self.advisers)
            if seat is None:
                continue
            ready.remove(seat)
            self._propose(waiting, seat, now)
            if not ready:
                return

    def _propose(self, waiting: Waiting, seat: Seat, now: Instant) -> None:
        rested = now - seat.since
        self._held[waiting.visit] = self._waiting.pop(waiting.visit)
        seat.generation += 1
        seat.visit = waiting.visit
        self._move(seat, "reserved", "", now, until=Instant(now + RESERVATION_S))
        why = f"waited {now - waiting.since:.1f} s, longest in turn; seat rested {rested:.1f} s, longest able"
        self._out.append(Propose(waiting.visit, seat.number, seat.adviser or "", seat.generation, why))
