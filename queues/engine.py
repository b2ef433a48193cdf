"""The engine: `take(input, now)` changes its state and answers with decisions, the same ones every time.

Propose, reserve, commit: a decision reserves the seat under a new generation number; the edge answers `Accepted` and rings
it, or the reservation expires. An answer to an old generation changes nothing, so two brains by accident cost order, never
a double booking: whoever accepts looks whether the seat rings under that generation (`rings`) before ringing it.

Before each input nobody waits whom an idle seat may take. So after it only those who came or ask for something else, and the
seats that became ready, need to be looked at: a decision costs as much as there are different needs and profiles, not callers.
What happened to a seat or a visit that nobody knows (any more) changes nothing; a wish about one is refused.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Literal, assert_never

from calls.clock import Instant, ms_between
from calls.errors import IllegalMove, NotPossible
from calls.facts import Chosen, SeatState
from queues.advisers import Adviser
from queues.events import (
    NO_QUEUE,
    Accepted,
    Answered,
    Calling,
    Configure,
    ConversationOver,
    Held,
    Input,
    Join,
    Leave,
    LogOut,
    MoreTime,
    NotAnswered,
    Output,
    PhoneSeen,
    Propose,
    QueueRules,
    Redial,
    SeatMoved,
    SitDown,
    StandUp,
    Talking,
    Tick,
    TurnedAway,
)
from queues.expected import ExpectedWait, Experience
from queues.idle import IdleSeats
from queues.lending import Lending
from queues.policy import Ask, Profile, Waiting, ask_of
from queues.presence import Presence
from queues.seats import AT_WORK, BUSY, Seat
from queues.waiting import Place, WaitingRoom
from queues.why import callers_passed, in_a_few_words, seats_passed

RESERVATION_S = 5.0
"""A reservation that nobody accepts ends after this long: the edge accepts within milliseconds or is dead."""

MORE_TIME_S = 60.0
"""By how much wrap-up is longer each time the adviser asks."""

LONGEST_WRAP_UP_S = 300.0
"""From the end of the conversation; callers are waiting."""

LEG_ENDS_S = 0.5
"""The least wrap-up of a seat whose adviser did not hang up: until its leg is ended, the telephone is busy."""

PHONE_GONE, LEFT_EARLY = "phone_gone", "left_early"
"""Why the engine itself makes a seat not ready, beside a call that it did not answer."""


class Engine:
    """The waiting room and the seats of one brain."""

    def __init__(
        self,
        seats: Iterable[str],
        advisers: Mapping[str, Adviser],
        queues: Mapping[str, QueueRules],
        wrap_up_s: float,
    ) -> None:
        self._queues, self._wrap_up_s = queues, wrap_up_s
        self._lending = Lending(queues)
        self._presence = Presence(advisers)
        self._seats = {number: Seat(number) for number in seats}
        self._states: Counter[SeatState] = Counter(seat.state for seat in self._seats.values())
        self._room = WaitingRoom()
        self._experience = Experience()
        self._taken: dict[str, tuple[str, Instant]] = {}
        """Of each seat that is busy with a caller: of which queue, and since the offer."""
        self._idle = IdleSeats()
        self._holds: dict[str, Seat] = {}
        """Which seat a visit has: reserved, ringing or talking."""
        self._deadlines: list[tuple[Instant, str]] = []
        """A heap of when a seat's state ends by itself; what is out of date is passed over."""
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

    def may_redial(self, number: str) -> Seat:
        """The seat, if its adviser can call somebody back now. Raises NotPossible with the reason when not."""
        seat = self.seat(number)
        if seat.adviser is None:
            raise NotPossible(f"nobody sits at seat {number}: name an adviser to sit down there first")
        if seat.state in BUSY:
            raise NotPossible(f"seat {number} is {seat.state}: end the call first")
        if not seat.reachable:
            raise NotPossible(f"the telephone of seat {number} is not registered: start it, then try again")
        return seat

    def seats(self) -> Iterable[Seat]:
        """All seats, in the order of the settings."""
        return self._seats.values()

    def waiting(self, queue: str | None = None) -> list[Waiting]:
        """Who waits or is being rung for, first turn first."""
        everybody = (one for one in self._room.everybody() if queue in (None, one.needs.queue))
        return sorted(everybody, key=lambda one: one.turn)

    def position(self, visit: str) -> int | None:
        """1 for the next in turn among those of the same queue; None when the visit does not wait."""
        return self._room.position(visit)

    def expected(self, visit: str, now: Instant) -> ExpectedWait | None:
        """How long somebody in the turn may expect to wait still; None when nobody knows."""
        one = self._room.get(visit)
        if one is None:
            return None
        at_work = Counter(
            profile
            for seat in self._seats.values()
            if seat.state in AT_WORK and (profile := self._presence.profile(seat.adviser))
        )
        mine = self._who_may_take(at_work, self._room.ask(visit))
        ahead = 0.0
        for ask, before in self._room.ahead(one):
            theirs = self._who_may_take(at_work, ask)
            both = sum(number for profile, number in theirs.items() if profile in mine)
            ahead += before * both / max(1, sum(theirs.values()))
        return self._experience.expected(one.needs.queue, ahead, sum(mine.values()), now - one.since, now)

    def _who_may_take(self, at_work: Counter[Profile], ask: Ask) -> dict[Profile, int]:
        return {profile: number for profile, number in at_work.items() if self._idle.may_take(profile, ask)}

    @property
    def closed_sites(self) -> frozenset[str]:
        """The sites that lend nobody at this moment."""
        return self._lending.closed

    def rings(self, seat: str, generation: int) -> bool:
        """Whether the seat rings for the reservation of this generation: only then may its telephone be rung."""
        return self._current(seat, generation, "ringing") is not None

    def next_deadline(self) -> Instant | None:
        """When a `Tick` is wanted at the latest."""
        self._forget_old_deadlines()
        change = self._room.next_change()
        if not self._deadlines:
            return change
        deadline = self._deadlines[0][0]
        return deadline if change is None else min(deadline, change)

    # --- the one way in

    def take(self, event: Input, now: Instant) -> list[Output]:
        """Carry out one input. The state is unchanged when it raises: NotPossible for a wish that cannot be granted,
        IllegalMove for a conversation that is found where there can be none.
        """
        self._out = []
        self._apply(event, now)
        self._expire(now)
        self._room.relax(self._queues, now)
        self._match(now)
        return self._out

    def _apply(self, event: Input, now: Instant) -> None:  # noqa: PLR0912 - one case an input, each one line
        match event:  # looked through in this order: those of every call stand first
            case Join():
                self._join(event, now)
            case Accepted():
                if seat := self._current(event.seat, event.generation, "reserved"):
                    self._move(seat, "ringing", "", now)
            case Answered():
                if seat := self._current(event.seat, event.generation, "ringing", "calling"):
                    self._note_answered(seat, now)
                    self._room.leave(seat.visit or "")
                    self._move(seat, "talking", "", now)
            case ConversationOver():
                self._conversation_over(event, now)
            case Tick():
                pass
            case Leave():
                self._leave(event.visit, now)
            case Configure():
                self._configure(event, now)
            case Redial():
                self._redial(event, now)
            case SitDown():
                self._sit_down(event, now)
            case StandUp():
                self._stand_up(self.seat(event.seat), event.reason, now)
            case MoreTime():
                self._more_time(self.seat(event.seat), now)
            case LogOut():
                self._log_out(self.seat(event.seat), now)
            case PhoneSeen():
                self._phone_seen(event, now)
            case Calling():
                if seat := self._current(event.seat, event.generation, "ringing"):
                    self._move(seat, "calling", "", now)
            case NotAnswered():
                if seat := self._current(event.seat, event.generation, "reserved", "ringing"):
                    self._put_back(seat, now)
                    self._move(seat, "not_ready", event.reason, now)
            case Talking():
                self._found_talking(event, now)
            case Held():
                self._held(event, now)
            case _:
                assert_never(event)

    # --- callers

    def _join(self, event: Join, now: Instant) -> None:
        if event.visit in self._room or event.visit in self._holds:
            return
        if not event.returned and (reason := self._no_room(event, now)):
            self._out.append(TurnedAway(event.visit, reason))
            return
        waiting = Waiting(event.visit, event.needs, event.since, self._order, event.away)
        self._order += 1
        self._room.enter(waiting, self._queues, now)

    def _redial(self, event: Redial, now: Instant) -> None:
        """The seat is the visit's at once; the adviser's pause, if it was one, goes on afterwards."""
        seat = self.may_redial(event.seat)
        if event.visit in self._room or event.visit in self._holds:
            return
        paused = seat.reason if seat.state == "not_ready" else None
        waiting = Waiting(event.visit, event.needs, event.since, self._order, away=True)
        self._order += 1
        self._room.enter(waiting, self._queues, now)
        chosen = Chosen(
            waited_ms=ms_between(waiting.since, now), rested_ms=ms_between(seat.since, now), surplus=0, preferred=True
        )
        proposal = Propose(waiting.visit, seat.number, seat.adviser or "", seat.generation + 1, "redial", chosen)
        self._reserve(seat, proposal, now)
        seat.afterwards = paused

    def _no_room(self, event: Join, now: Instant) -> Literal["full", "no_seat"] | None:
        """Why a new caller cannot wait. Whoever need not wait, because a seat is free, is not one too many.

        A wait is worth while if somebody present may take the call now, or after one of the steps by which it relaxes.
        """
        needs, rules = event.needs, self._queues.get(event.needs.queue, NO_QUEUE)
        steps = [Instant(event.since + step.after_s) for step in rules.relax]
        asks = {ask_of(needs, rules.relax, event.since, moment) for moment in (now, *steps)}
        if not any(isinstance(self._idle.could_fit(kind, ask), int) for kind in self._presence.kinds() for ask in asks):
            return "no_seat"
        if event.kept or self._room.size(needs.queue) < rules.max_waiting:
            return None
        free = self._idle.best(ask_of(needs, rules.relax, event.since, now), needs.preferred)
        return None if free else "full"

    def _leave(self, visit: str, now: Instant) -> None:
        one = self._room.get(visit) or self._room.held(visit)
        if one and not one.away and self._lending.gave_up(one.needs.queue, now - one.since):
            self._idle.lend(self._lending.closed)
        self._room.leave(visit)
        seat = self._holds.get(visit)
        if seat and seat.state in ("reserved", "ringing"):
            self._free(seat, "caller_left", now)
        elif seat and seat.state == "calling":
            self._done_with(seat, now, lost=False, hung_up=False)

    def _put_back(self, seat: Seat, now: Instant) -> None:
        """Whoever the seat was held for is in the turn again, where the first wait says."""
        if seat.visit:
            self._room.put_back(seat.visit, self._queues, now)

    # --- seats

    def _current(self, number: str, generation: int, *states: SeatState) -> Seat | None:
        """The seat, if the answer is to its present reservation; a late answer is nobody's."""
        seat = self._seats.get(number)
        return seat if seat and seat.generation == generation and seat.state in states else None

    def _sit_down(self, event: SitDown, now: Instant) -> None:
        seat = self.seat(event.seat)
        self._presence.check(event.adviser, seat)
        if seat.state in BUSY and event.adviser != seat.adviser:
            raise NotPossible(f"seat {seat.number} is {seat.state} with adviser {seat.adviser}: wait for the end")
        if seat.state in BUSY:
            seat.afterwards = event.not_ready
            return
        if not seat.reachable:
            raise NotPossible(f"the telephone of seat {seat.number} is not registered: start it, then try again")
        same = seat.adviser == event.adviser
        self._presence.sit(event.adviser, seat)
        if event.not_ready is not None:
            self._move(seat, "not_ready", event.not_ready, now)
        elif not (same and seat.state == "ready"):  # pressing "ready" twice does not cost the seat its rest
            self._move(seat, "ready", "", now)

    def _stand_up(self, seat: Seat, reason: str, now: Instant) -> None:
        if seat.state == "logged_out":
            raise NotPossible(f"nobody sits at seat {seat.number}: name an adviser to sit down there first")
        if seat.state in BUSY:
            seat.afterwards = reason
        else:
            self._move(seat, "not_ready", reason, now)

    def _more_time(self, seat: Seat, now: Instant) -> None:
        if seat.state != "wrap_up" or seat.until is None:
            raise NotPossible(f"seat {seat.number} is {seat.state}: more time is for wrap-up, after a conversation")
        until = min(seat.until + MORE_TIME_S, max(seat.until, seat.since + LONGEST_WRAP_UP_S))
        if until == seat.until:
            reason = f"the wrap-up of seat {seat.number} is as long as it may be, {LONGEST_WRAP_UP_S:.0f} s"
            raise NotPossible(f"{reason}: say that you are not ready, with the reason, if you need longer")
        seat.until = Instant(until)
        heapq.heappush(self._deadlines, (seat.until, seat.number))
        left_s = until - now
        self._out.append(SeatMoved(seat.number, seat.adviser, "wrap_up", f"more time, {left_s:.0f} s left"))

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
            self._put_back(seat, now)
            self._move(seat, "not_ready", PHONE_GONE, now)

    def _note_answered(self, seat: Seat, now: Instant) -> None:
        if one := self._room.held(seat.visit or ""):
            self._experience.answered(one.needs.queue, now - one.since, now)
            if not one.away and self._lending.answered(one.needs.queue, now - one.since):
                self._idle.lend(self._lending.closed)
            self._taken[seat.number] = (one.needs.queue, seat.since)

    def _note_handled(self, seat: Seat, now: Instant, *, whole: bool) -> None:
        """The seat is done with its caller, if it had one; `whole`: to the end of wrap-up."""
        taken = self._taken.pop(seat.number, None)
        if taken and whole:
            queue, since = taken
            self._experience.handled(queue, now - since)

    def _found_talking(self, event: Talking, now: Instant) -> None:
        seat = self._seats.get(event.seat)
        if seat is None or (seat.state in ("talking", "holding") and seat.visit == event.visit):
            return
        seat.check("talking", "found")
        if event.visit in self._holds and self._holds[event.visit] is not seat:
            raise IllegalMove(f"{event.visit} cannot be found at seat {seat.number}: another seat has it")
        self._put_back(seat, now)
        self._presence.sit(event.adviser, seat)
        self._hold(event.visit, seat)
        self._move(seat, "talking", "found", now)

    def _held(self, event: Held, now: Instant) -> None:
        seat = self._seats.get(event.seat)
        if seat and seat.visit == event.visit and seat.state == ("talking" if event.on else "holding"):
            self._move(seat, "holding" if event.on else "talking", "", now)

    def _conversation_over(self, event: ConversationOver, now: Instant) -> None:
        seat = self._seats.get(event.seat)
        if seat is None or seat.state not in ("calling", "talking", "holding") or seat.visit != event.visit:
            return
        self._room.leave(event.visit)
        if event.early:
            self._move(seat, "not_ready", LEFT_EARLY, now)
        else:
            self._done_with(seat, now, lost=event.lost, hung_up=event.hung_up)

    def _done_with(self, seat: Seat, now: Instant, *, lost: bool, hung_up: bool) -> None:
        """The caller is gone: wrap-up, if the telephone is there still."""
        if lost or not seat.reachable:
            self._move(seat, "not_ready", PHONE_GONE, now)
        else:
            wrap_up_s = self._wrap_up_s if hung_up else max(self._wrap_up_s, LEG_ENDS_S)
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
        visit, adviser = seat.visit, seat.adviser
        before = seat.state
        seat.move(state, reason, now, until)
        self._states[before] -= 1
        self._states[state] += 1
        if seat.visit is None and visit is not None:
            del self._holds[visit]
        if seat.adviser is None and adviser is not None:
            self._presence.leave(adviser)
        if before == "ready":
            self._idle.remove(seat.number)
        if state not in ("talking", "holding", "wrap_up"):
            self._note_handled(seat, now, whole=before == "wrap_up")
        if state == "ready":
            self._note_idle(seat)
        if until is not None:
            heapq.heappush(self._deadlines, (until, seat.number))
        self._out.append(SeatMoved(seat.number, seat.adviser, state, reason))

    def _hold(self, visit: str, seat: Seat) -> None:
        """The seat is this visit's from now on."""
        self._holds.pop(seat.visit or "", None)
        seat.visit = visit
        self._holds[visit] = seat

    def _note_idle(self, seat: Seat) -> None:
        if profile := self._presence.profile(seat.adviser):  # who is in the file no more is offered no call
            self._idle.add(seat, seat.adviser or "", profile)

    def _configure(self, event: Configure, now: Instant) -> None:
        self._presence.configure(event.advisers)
        self._queues = event.queues
        self._lending.configure(event.queues)
        self._idle = IdleSeats()
        self._idle.lend(self._lending.closed)
        for seat in self._seats.values():
            if seat.state == "ready":
                self._note_idle(seat)
        self._room.ask_anew(self._queues, now)

    # --- time and turns

    def _expire(self, now: Instant) -> None:
        while self._deadlines and self._deadlines[0][0] <= now:
            until, number = heapq.heappop(self._deadlines)
            seat = self._seats[number]
            if seat.until == until:
                self._put_back(seat, now)
                self._free(seat, "reservation_expired" if seat.state == "reserved" else "wrap_up_over", now)

    def _forget_old_deadlines(self) -> None:
        while self._deadlines and self._seats[self._deadlines[0][1]].until != self._deadlines[0][0]:
            heapq.heappop(self._deadlines)

    def _match(self, now: Instant) -> None:
        """Bring together whoever can be, first turn first, until nobody waits whom an idle seat may take."""
        while (self._room.changed or self._idle.changed) and len(self._idle) and len(self._room):
            first = min(self._served(), default=None)
            if first is None:
                break
            waiting = self._room.at(first)
            self._propose(waiting, self._best_seat(waiting), now)
        self._room.changed.clear()
        self._idle.changed.clear()

    def _served(self) -> list[Place]:
        """Of those whom an idle seat may take, everybody who is new or asks anew, and the first whom each new seat may."""
        room, idle = self._room, self._idle
        places = [room.place(visit) for visit in room.changed if idle.best(room.ask(visit), None) is not None]
        profiles = {idle.profile(seat) for seat in idle.changed}
        if profiles:
            places += [group.places[0] for group in room.groups() if idle.some_may_take(profiles, group.ask)]
        return places

    def _best_seat(self, waiting: Waiting) -> Seat:
        number = self._idle.best(self._room.ask(waiting.visit), waiting.needs.preferred)
        assert number is not None, "only whom an idle seat may take is brought together"
        return self._seats[number]

    def _propose(self, waiting: Waiting, seat: Seat, now: Instant) -> None:
        needs, ask, profile = waiting.needs, self._room.ask(waiting.visit), self._idle.profile(seat.number)
        surplus = self._idle.fit(profile, ask)
        assert isinstance(surplus, int), "only whom the seat may take is brought together"
        chosen = Chosen(
            waited_ms=ms_between(waiting.since, now),
            rested_ms=ms_between(seat.since, now),
            surplus=surplus,
            preferred=seat.adviser == needs.preferred,
        )
        proposal = Propose(
            waiting.visit,
            seat.number,
            seat.adviser or "",
            seat.generation + 1,
            in_a_few_words(chosen),
            chosen,
            seats_passed(self._idle, self._states, ask, seat.number, preferred=chosen.preferred),
            callers_passed(self._room, self._idle, waiting, profile),
            profile.site,
            ask.home if ask.home != profile.site else None,
        )
        self._reserve(seat, proposal, now)

    def _reserve(self, seat: Seat, proposal: Propose, now: Instant) -> None:
        self._room.hold(proposal.visit)
        seat.generation = proposal.generation
        self._hold(proposal.visit, seat)
        self._move(seat, "reserved", "", now, until=Instant(now + RESERVATION_S))
        self._out.append(proposal)
