"""The engine: `take(input, now)` changes its state and answers with decisions, the same ones every time.

Propose, reserve, commit: a decision reserves the seat under a new generation number; the edge answers `Accepted` and rings
it, or the reservation expires. An answer to an old generation changes nothing, so two brains by accident cost order, never
a double booking: whoever accepts looks whether the seat rings under that generation (`rings`) before ringing it.

Before each input nobody waits whom an idle seat may take. So after it only those who came or ask for something else, and the
seats that became ready, need to be looked at: a decision costs as much as there are different needs and profiles, not callers.
What happened to a seat or a visit that nobody knows (any more) changes nothing; a wish about one is refused.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Literal, assert_never

from calls.clock import Instant, ms_between
from calls.errors import IllegalMove, NotPossible
from calls.facts import Chosen
from calls.words import Needs
from queues.advisers import Adviser
from queues.events import (
    NO_QUEUE,
    Accepted,
    Answered,
    Calling,
    Configure,
    Consult,
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
    Pull,
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
from queues.lending import Lending
from queues.policy import Ask, Profile, Waiting, ask_of
from queues.seating import LEFT_EARLY, PHONE_GONE, Seating
from queues.seats import Seat
from queues.waiting import Place, WaitingRoom
from queues.why import callers_passed, in_a_few_words, pulled, pulled_past, seats_passed

RESERVATION_S = 5.0
"""A reservation that nobody accepts ends after this long: the edge accepts within milliseconds or is dead."""


class Engine:
    """The waiting room and the seats of one brain."""

    def __init__(
        self,
        seats: Iterable[str],
        advisers: Mapping[str, Adviser],
        queues: Mapping[str, QueueRules],
        wrap_up_s: float,
    ) -> None:
        self._queues = queues
        self._lending = Lending(queues)
        self._room = WaitingRoom()
        self._experience = Experience()
        self._seats = Seating(seats, advisers, wrap_up_s, self._tell, self._experience.handled)
        self._order = 0
        self._out: list[Output] = []

    # --- what others may look at

    def seat(self, number: str) -> Seat:
        """Raises NotPossible when there is no such seat."""
        return self._seats.seat(number)

    def may_be_rung(self, number: str) -> Seat:
        """The seat, if its adviser can be rung now, whoever waits. Raises NotPossible with the reason when not."""
        return self._seats.may_be_rung(number)

    def seats(self) -> Iterable[Seat]:
        """All seats, in the order of the settings."""
        return self._seats

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
        at_work = self._seats.at_work()
        mine = self._who_may_take(at_work, self._room.ask(visit))
        ahead = 0.0
        for ask, before in self._room.ahead(one):
            theirs = self._who_may_take(at_work, ask)
            both = sum(number for profile, number in theirs.items() if profile in mine)
            ahead += before * both / max(1, sum(theirs.values()))
        return self._experience.expected(one.needs.queue, ahead, sum(mine.values()), now - one.since, now)

    def _who_may_take(self, at_work: Counter[Profile], ask: Ask) -> dict[Profile, int]:
        return {profile: number for profile, number in at_work.items() if self._seats.idle.may_take(profile, ask)}

    @property
    def closed_sites(self) -> frozenset[str]:
        """The sites that lend nobody at this moment."""
        return self._lending.closed

    def rings(self, seat: str, generation: int) -> bool:
        """Whether the seat rings for the reservation of this generation: only then may its telephone be rung."""
        return self._seats.current(seat, generation, "ringing") is not None

    def next_deadline(self) -> Instant | None:
        """When a `Tick` is wanted at the latest."""
        moments = (self._seats.next_deadline(), self._room.next_change())
        return min((moment for moment in moments if moment is not None), default=None)

    # --- the one way in

    def take(self, event: Input, now: Instant) -> list[Output]:
        """Carry out one input. The state is unchanged when it raises: NotPossible for a wish that cannot be granted,
        IllegalMove for a conversation that is found where there can be none.
        """
        self._out = []
        self._apply(event, now)
        for seat in self._seats.expired(now):
            self._put_back(seat, now)
            self._seats.free(seat, "reservation_expired" if seat.state == "reserved" else "wrap_up_over", now)
        self._room.relax(self._queues, now)
        self._match(now)
        return self._out

    def _apply(self, event: Input, now: Instant) -> None:  # noqa: PLR0912 - one case an input, each one line
        match event:  # looked through in this order: those of every call stand first
            case Join():
                self._join(event, now)
            case Accepted():
                if seat := self._seats.current(event.seat, event.generation, "reserved"):
                    self._seats.move(seat, "ringing", "", now)
            case Answered():
                if seat := self._seats.current(event.seat, event.generation, "ringing", "calling"):
                    self._note_answered(seat, now)
                    self._room.leave(seat.visit or "")
                    self._seats.move(seat, "talking", "", now)
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
            case Consult():
                self._consult(event, now)
            case Pull():
                self._pull(event, now)
            case SitDown():
                self._seats.sit_down(event, now)
            case StandUp():
                self._seats.stand_up(self.seat(event.seat), event.reason, now)
            case MoreTime():
                self._seats.more_time(self.seat(event.seat), now)
            case LogOut():
                self._seats.log_out(self.seat(event.seat), now)
            case PhoneSeen():
                self._phone_seen(event, now)
            case Calling():
                if seat := self._seats.current(event.seat, event.generation, "ringing"):
                    self._seats.move(seat, "calling", "", now)
            case NotAnswered():
                if seat := self._seats.current(event.seat, event.generation, "reserved", "ringing"):
                    self._put_back(seat, now)
                    self._seats.move(seat, "not_ready", event.reason, now)
            case Talking():
                self._found_talking(event, now)
            case Held():
                self._held(event, now)
            case _:
                assert_never(event)

    # --- callers

    def _join(self, event: Join, now: Instant) -> None:
        if event.visit in self._room or self._seats.of(event.visit):
            return
        if not event.returned and (reason := self._no_room(event, now)):
            self._out.append(TurnedAway(event.visit, reason))
            return
        waiting = Waiting(event.visit, event.needs, event.since, self._order, event.away)
        self._order += 1
        self._room.enter(waiting, self._queues, now)

    def _redial(self, event: Redial, now: Instant) -> None:
        """The seat is the visit's at once; the adviser's pause, if it was one, goes on afterwards."""
        seat = self.may_be_rung(event.seat)
        if event.visit in self._room or self._seats.of(event.visit):
            return
        waiting = Waiting(event.visit, event.needs, event.since, self._order, away=True)
        self._order += 1
        self._room.enter(waiting, self._queues, now)
        self._room.hold(waiting.visit)
        self._reserve_this(seat, event.visit, "redial", ms_between(waiting.since, now), now)

    def _consult(self, event: Consult, now: Instant) -> None:
        """The seat is the visit's at once; nobody is in the turn for whom it must be."""
        seat = self.may_be_rung(event.seat)
        if event.visit not in self._room and not self._seats.of(event.visit):
            self._reserve_this(seat, event.visit, "consult", 0, now)

    def _reserve_this(self, seat: Seat, visit: str, why: str, waited_ms: int, now: Instant) -> None:
        """This seat and no other."""
        chosen = Chosen(waited_ms=waited_ms, rested_ms=ms_between(seat.since, now), surplus=0, preferred=True)
        proposal = Propose(visit, seat.number, seat.adviser or "", seat.generation + 1, why, chosen)
        self._reserve_out_of_turn(seat, proposal, now)

    def _reserve_out_of_turn(self, seat: Seat, proposal: Propose, now: Instant) -> None:
        """The adviser's pause, begun or asked for, goes on afterwards; so does a wrap-up, if nothing comes of it."""
        paused = seat.reason if seat.state == "not_ready" else seat.afterwards
        seat.wrap_up_until = seat.until if seat.state == "wrap_up" else None
        self._reserve(seat, proposal, now)
        seat.afterwards = paused

    def _pull(self, event: Pull, now: Instant) -> None:
        """As `_redial`, with somebody who waits already. Raises NotPossible with the reason when it cannot be."""
        seat, waiting = self._seats.may_be_given(event.seat), self._room.get(event.visit)
        if waiting is None:
            has = self._seats.of(event.visit)
            raise NotPossible(f"seat {has.number} has this caller already" if has else "this caller waits no more")
        proposal = self._pulled(waiting, seat, now)
        self._room.hold(event.visit)
        self._reserve_out_of_turn(seat, proposal, now)

    def _pulled(self, waiting: Waiting, seat: Seat, now: Instant) -> Propose:
        needs, profile = waiting.needs, self._seats.presence.profile(seat.adviser)
        found = self._seats.idle.could_fit(profile, self._room.ask(waiting.visit)) if profile else 0
        chosen = Chosen(
            waited_ms=ms_between(waiting.since, now),
            rested_ms=ms_between(seat.since, now),
            surplus=found if isinstance(found, int) else 0,
            preferred=seat.adviser == needs.preferred,
        )
        site = profile.site if profile else ""
        return Propose(
            waiting.visit,
            seat.number,
            seat.adviser or "",
            seat.generation + 1,
            pulled(found),
            chosen,
            callers_passed=pulled_past(self._room, waiting),
            site=site,
            lent_to=needs.site if needs.site != site else None,
        )

    def somebody_for(self, needs: Needs, since: Instant, now: Instant) -> bool:
        """Whether somebody present may take such a call now, or after one of the steps by which its wait relaxes."""
        relax = self._queues.get(needs.queue, NO_QUEUE).relax
        moments = (now, *(Instant(since + step.after_s) for step in relax))
        asks = {ask_of(needs, relax, since, moment) for moment in moments}
        return any(
            isinstance(self._seats.idle.could_fit(kind, ask), int)
            for kind in self._seats.presence.kinds()
            for ask in asks
        )

    def _no_room(self, event: Join, now: Instant) -> Literal["full", "no_seat"] | None:
        """Why a new caller cannot wait. Whoever need not wait, because a seat is free, is not one too many."""
        needs, rules = event.needs, self._queues.get(event.needs.queue, NO_QUEUE)
        if not self.somebody_for(needs, event.since, now):
            return "no_seat"
        if event.kept or self._room.size(needs.queue) < rules.max_waiting:
            return None
        free = self._seats.idle.best(ask_of(needs, rules.relax, event.since, now), needs.preferred)
        return None if free else "full"

    def _leave(self, visit: str, now: Instant) -> None:
        one = self._room.get(visit) or self._room.held(visit)
        if one and not one.away and self._lending.gave_up(one.needs.queue, now - one.since):
            self._seats.idle.lend(self._lending.closed)
        self._room.leave(visit)
        seat = self._seats.of(visit)
        if seat and one is None and seat.state in ("reserved", "ringing"):
            self._seats.let_go_of(seat, now)
        elif seat and seat.state in ("reserved", "ringing"):
            self._seats.free(seat, "caller_left", now)
        elif seat and seat.state == "calling":
            self._seats.done_with(seat, now, lost=False, hung_up=False)

    def _put_back(self, seat: Seat, now: Instant) -> None:
        """Whoever the seat was held for is in the turn again, where the first wait says."""
        if seat.visit:
            self._room.put_back(seat.visit, self._queues, now)

    # --- seats

    def _phone_seen(self, event: PhoneSeen, now: Instant) -> None:
        seat = self._seats.get(event.seat)
        if seat is None:
            return
        seat.reachable = event.reachable
        if not event.reachable and seat.state in ("ready", "wrap_up", "reserved"):
            self._put_back(seat, now)
            self._seats.move(seat, "not_ready", PHONE_GONE, now)

    def _note_answered(self, seat: Seat, now: Instant) -> None:
        if one := self._room.held(seat.visit or ""):
            self._experience.answered(one.needs.queue, now - one.since, now)
            if not one.away and self._lending.answered(one.needs.queue, now - one.since):
                self._seats.idle.lend(self._lending.closed)
            self._seats.taken(seat, one.needs.queue)

    def _found_talking(self, event: Talking, now: Instant) -> None:
        seat = self._seats.get(event.seat)
        if seat is None or (seat.state in ("talking", "holding") and seat.visit == event.visit):
            return
        seat.check("talking", "found")
        if self._seats.of(event.visit) not in (None, seat):
            raise IllegalMove(f"{event.visit} cannot be found at seat {seat.number}: another seat has it")
        self._put_back(seat, now)
        self._seats.presence.sit(event.adviser, seat)
        self._seats.hold(event.visit, seat)
        self._seats.move(seat, "talking", "found", now)

    def _held(self, event: Held, now: Instant) -> None:
        seat = self._seats.get(event.seat)
        if seat and seat.visit == event.visit and seat.state == ("talking" if event.on else "holding"):
            self._seats.move(seat, "holding" if event.on else "talking", "", now)

    def _conversation_over(self, event: ConversationOver, now: Instant) -> None:
        seat = self._seats.get(event.seat)
        if seat is None or seat.state not in ("calling", "talking", "holding") or seat.visit != event.visit:
            return
        self._room.leave(event.visit)
        if event.early:
            self._seats.move(seat, "not_ready", LEFT_EARLY, now)
        else:
            self._seats.done_with(seat, now, lost=event.lost, hung_up=event.hung_up)

    def _configure(self, event: Configure, now: Instant) -> None:
        self._queues = event.queues
        self._lending.configure(event.queues)
        self._seats.configure(event.advisers, self._lending.closed)
        self._room.ask_anew(self._queues, now)

    def _tell(self, moved: SeatMoved) -> None:
        self._out.append(moved)

    # --- turns

    def _match(self, now: Instant) -> None:
        """Bring together whoever can be, first turn first, until nobody waits whom an idle seat may take."""
        while (self._room.changed or self._seats.idle.changed) and len(self._seats.idle) and len(self._room):
            first = min(self._served(), default=None)
            if first is None:
                break
            waiting = self._room.at(first)
            self._propose(waiting, self._best_seat(waiting), now)
        self._room.changed.clear()
        self._seats.idle.changed.clear()

    def _served(self) -> list[Place]:
        """Of those whom an idle seat may take, everybody who is new or asks anew, and the first whom each new seat may."""
        room, idle = self._room, self._seats.idle
        places = [room.place(visit) for visit in room.changed if idle.best(room.ask(visit), None) is not None]
        profiles = {idle.profile(seat) for seat in idle.changed}
        if profiles:
            places += [group.places[0] for group in room.groups() if idle.some_may_take(profiles, group.ask)]
        return places

    def _best_seat(self, waiting: Waiting) -> Seat:
        number = self._seats.idle.best(self._room.ask(waiting.visit), waiting.needs.preferred)
        assert number is not None, "only whom an idle seat may take is brought together"
        return self._seats.seat(number)

    def _propose(self, waiting: Waiting, seat: Seat, now: Instant) -> None:
        needs, ask, profile = waiting.needs, self._room.ask(waiting.visit), self._seats.idle.profile(seat.number)
        surplus = self._seats.idle.fit(profile, ask)
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
            seats_passed(self._seats.idle, self._seats.states, ask, seat.number, preferred=chosen.preferred),
            callers_passed(self._room, self._seats.idle, waiting, profile),
            profile.site,
            ask.home if ask.home != profile.site else None,
        )
        self._room.hold(proposal.visit)
        self._reserve(seat, proposal, now)

    def _reserve(self, seat: Seat, proposal: Propose, now: Instant) -> None:
        seat.generation = proposal.generation
        self._seats.hold(proposal.visit, seat)
        self._seats.move(seat, "reserved", "", now, until=Instant(now + RESERVATION_S))
        self._out.append(proposal)
