"""What is true of the engine whatever happens to it, in whatever order: thousands of small histories, made by hypothesis.

The machine plays an edge that is right, late, double or confused, on two engines at once: they must agree in every step.
"""

from __future__ import annotations

from typing import Any
from unittest.mock import patch

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from calls.clock import Instant
from calls.errors import IllegalMove, NotPossible
from calls.words import Keeps, Needs, Relax
from queues import (
    Accepted,
    Adviser,
    Answered,
    Calling,
    Consult,
    ConversationOver,
    Engine,
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
    lending,
)
from queues.policy import Waiting, ask_of, fit
from queues.seating import NOBODY_THERE
from queues.seats import BUSY, MOVES

ADVISERS = {
    "8001": Adviser("8001", {"cards": 3, "labour": 3}, site="city"),
    "8002": Adviser("8002", {"cards": 5}, languages=("en",), site="county"),
    "8003": Adviser("8003", {}),
}
SEATS = ("1001", "1002", "1003", "1004")
NEEDS = (
    Needs({}, "general"),
    Needs({}, "general", language="en", urgency="crisis"),
    Needs({"cards": 1}, "cards", preferred="8002"),
    Needs({"cards": 4}, "cards", site="city", urgency="urgent"),
    Needs({"labour": 2}, "work", site="county"),
)
QUEUES = {
    "general": QueueRules(3),
    "cards": QueueRules(3, (Relax(4, levels=1), Relax(8, any_site=True))),
    "work": QueueRules(3, (Relax(5, any_site=True, until_s=12),), "county", Keeps(within_s=3, part=0.6)),
}
WRAP_UP_S = 7.0

seats = st.sampled_from(SEATS)
advisers = st.sampled_from([*ADVISERS, "8009"])
ways = st.sampled_from(["no_answer", "busy", "unreachable", "refused"])


class AnyHistory(RuleBasedStateMachine):
    """Whoever is wrong about the state of the engine is one of these rules, never the engine."""

    def __init__(self) -> None:
        super().__init__()
        self._sooner = patch.object(lending, "SEEN_AT_LEAST", 2)
        self._sooner.start()
        self.engine, self.twin = (Engine(SEATS, ADVISERS, QUEUES, WRAP_UP_S) for _ in range(2))
        self.now = 100
        self.count = 0
        self.since: dict[str, Instant] = {}
        """Who waits, rings or talks, and since when; the model's own books."""
        self.talking: dict[str, str] = {}
        self.states: dict[str, str] = dict.fromkeys(SEATS, "logged_out")
        self.redialled: set[str] = set()
        """Visits that are given to one seat, whatever the rule says."""
        self.consulted: set[str] = set()
        """Visits that wait in no turn: a colleague asks the seat, and whoever does not answer is not asked again."""
        self.let_down: set[str] = set()
        """Seats that did not answer, until an adviser says that there is somebody."""

    def teardown(self) -> None:
        self._sooner.stop()

    # --- the one way in

    def take(self, event: Input) -> list[Output]:
        before = self.picture(self.engine)
        outputs = self.decide(self.engine, event)
        assert self.decide(self.twin, event) == outputs, "the same history, another decision"
        if isinstance(outputs, str):
            assert self.picture(self.engine) == before, f"{event} was refused ({outputs}) and yet did something"
            return []
        if isinstance(event, SitDown):
            self.let_down.discard(event.seat)
        for output in outputs:
            self.see(output)
        for visit in self.consulted - {seat.visit for seat in self.engine.seats()}:
            self.consulted.discard(visit)
            self.since.pop(visit, None)
        return outputs

    def decide(self, engine: Engine, event: Input) -> list[Output] | str:
        """What the engine decides; when it refuses, its words."""
        try:
            return engine.take(event, Instant(float(self.now)))
        except (NotPossible, IllegalMove) as refused:
            return str(refused)

    def see(self, output: Output) -> None:
        match output:
            case SeatMoved(seat=seat, state=state):
                assert state in MOVES[self.states[seat]]  # type: ignore[index]  # the table is typed by its words
                self.states[seat] = state
            case Propose(visit=visit, seat=seat):
                assert visit in self.since
                assert seat not in self.let_down
                assert self.engine.seat(seat).reachable
                assert self.engine.seat(seat).adviser == output.adviser
                if visit in self.redialled:
                    self.redialled.discard(visit)
                else:
                    self.was_its_turn(visit, seat)
            case TurnedAway(visit=visit):
                del self.since[visit]

    def may_take(self, seat: str, one: Waiting) -> bool:
        """By the rule alone, without what the engine remembers."""
        ask = ask_of(one.needs, QUEUES[one.needs.queue].relax, one.since, Instant(float(self.now)))
        profile = ADVISERS[self.engine.seat(seat).adviser or ""].profile
        lent = ask.home not in (None, profile.site)
        return isinstance(fit(profile, ask), int) and not (lent and profile.site in self.engine.closed_sites)

    def was_its_turn(self, visit: str, seat: str) -> None:
        """Nobody whom this seat may take, and who waits in vain, came earlier."""
        held = self.held()
        mine = next(one for one in self.engine.waiting() if one.visit == visit)
        for other in self.engine.waiting():
            if other.visit not in held and self.may_take(seat, other):
                assert mine.turn < other.turn

    def held(self) -> set[str]:
        return {seat.visit or "" for seat in self.engine.seats() if seat.state in ("reserved", "ringing", "calling")}

    @staticmethod
    def picture(engine: Engine) -> Any:
        return [dict(vars(seat)) for seat in engine.seats()], engine.waiting(), engine.next_deadline()

    # --- callers

    @initialize(sitting=st.lists(st.sampled_from(["8001", "8002", "8003"]), unique=True))
    def morning(self, sitting: list[str]) -> None:
        for seat, adviser in zip(SEATS, sitting, strict=False):
            self.take(PhoneSeen(seat, True))
            self.take(SitDown(seat, adviser))

    @rule(needs=st.sampled_from(NEEDS), ago=st.integers(0, 3))
    def somebody_calls(self, needs: Needs, ago: int) -> None:
        self.count += 1
        visit = f"v{self.count}"
        self.since[visit] = Instant(float(self.now - ago))
        self.take(Join(visit, needs, self.since[visit]))

    @rule(needs=st.sampled_from(NEEDS), ago=st.integers(1, 90), away=st.booleans())
    def somebody_returns(self, needs: Needs, ago: int, away: bool) -> None:
        self.count += 1
        visit = f"v{self.count}"
        self.since[visit] = Instant(float(self.now - ago))
        outputs = self.take(Join(visit, needs, self.since[visit], returned=True, away=away))
        assert not any(isinstance(output, TurnedAway) for output in outputs)

    @rule(seat=seats, needs=st.sampled_from(NEEDS), ago=st.integers(1, 90))
    def somebody_is_called_at_once(self, seat: str, needs: Needs, ago: int) -> None:
        self.count += 1
        visit, since = f"v{self.count}", Instant(float(self.now - ago))
        free = self.engine.seat(seat)
        if free.adviser and free.reachable and free.state not in BUSY:
            self.since[visit] = since
            self.let_down.discard(seat)  # the adviser's own wish: there is somebody
        self.redialled.add(visit)
        self.take(Redial(seat, visit, needs, since))

    @rule(seat=seats)
    def somebody_is_asked(self, seat: str) -> None:
        self.count += 1
        visit = f"v{self.count}"
        asked = self.engine.seat(seat)
        if asked.adviser and asked.reachable and asked.state not in BUSY:
            self.since[visit] = Instant(float(self.now))
            self.let_down.discard(seat)  # the colleague's own wish
            self.consulted.add(visit)
        self.redialled.add(visit)
        self.take(Consult(seat, visit))

    @rule(data=st.data(), seat=seats)
    def somebody_is_pulled(self, data: st.DataObject, seat: str) -> None:
        visit = data.draw(st.sampled_from(sorted({*self.since, "v0"})))
        given = self.engine.seat(seat)
        state, reason, turns = given.state, given.reason, {one.visit: one.turn for one in self.engine.waiting()}
        may = state in ("ready", "not_ready") and given.reachable and reason not in NOBODY_THERE
        if may and visit in turns and visit not in self.held():
            self.let_down.discard(seat)  # it has said since why it takes no calls: there is somebody
            self.redialled.add(visit)
        outputs = self.take(Pull(seat, visit))
        assert bool(outputs) == (visit in turns and self.engine.seat(seat).visit == visit and state != given.state)
        if outputs:
            assert may
            assert given.afterwards == (reason if state == "not_ready" else None), "a pause goes on afterwards"
            assert {one.visit: one.turn for one in self.engine.waiting()} == turns, "nobody's turn is another one"

    @rule(data=st.data())
    def somebody_is_told_of_twice(self, data: st.DataObject) -> None:
        if self.since:
            visit = data.draw(st.sampled_from(sorted(self.since)))
            before = self.picture(self.engine)
            self.take(Join(visit, NEEDS[0], Instant(float(self.now)), returned=True))
            assert self.picture(self.engine) == before

    @rule(data=st.data())
    def somebody_leaves(self, data: st.DataObject) -> None:
        visit = data.draw(st.sampled_from(sorted({*self.since, "v0"})))
        if visit not in self.talking:
            self.since.pop(visit, None)
        self.take(Leave(visit))

    # --- seats

    @rule(seat=seats, adviser=advisers, not_ready=st.sampled_from([None, None, "training"]))
    def sit_down(self, seat: str, adviser: str, not_ready: str | None) -> None:
        self.take(SitDown(seat, adviser, not_ready))

    @rule(seat=seats)
    def stand_up(self, seat: str) -> None:
        self.take(StandUp(seat, "break"))

    @rule(seat=seats)
    def more_time(self, seat: str) -> None:
        self.take(MoreTime(seat))

    @rule(seat=seats)
    def log_out(self, seat: str) -> None:
        self.take(LogOut(seat))

    @rule(seat=seats, reachable=st.booleans())
    def phone(self, seat: str, reachable: bool) -> None:
        self.take(PhoneSeen(seat, reachable))

    # --- the edge's answers, on time and late

    @rule(seat=seats, late=st.integers(0, 2))
    def accepted(self, seat: str, late: int) -> None:
        self.answer(seat, late, Accepted(seat, self.engine.seat(seat).generation - late))

    @rule(seat=seats, late=st.integers(0, 2))
    def calls_back(self, seat: str, late: int) -> None:
        self.answer(seat, late, Calling(seat, self.engine.seat(seat).generation - late))

    @rule(seat=seats, late=st.integers(0, 2))
    def answered(self, seat: str, late: int) -> None:
        visit = self.engine.seat(seat).visit
        rang = self.engine.seat(seat).state in ("ringing", "calling")
        if rang and not late and visit:
            self.talking[visit] = seat
        self.answer(seat, late, Answered(seat, self.engine.seat(seat).generation - late))

    @rule(seat=seats, late=st.integers(0, 2), reason=ways)
    def not_answered(self, seat: str, late: int, reason: Any) -> None:
        if self.engine.seat(seat).state in ("reserved", "ringing") and not late:
            self.let_down.add(seat)
        self.answer(seat, late, NotAnswered(seat, self.engine.seat(seat).generation - late, reason))

    def answer(self, seat: str, late: int, event: Accepted | Calling | Answered | NotAnswered) -> None:
        before = self.picture(self.engine)
        self.take(event)
        if late:
            assert self.picture(self.engine) == before

    @rule(seat=seats, lost=st.booleans(), mistaken=st.booleans(), early=st.booleans())
    def conversation_over(self, seat: str, lost: bool, mistaken: bool, early: bool) -> None:
        visit = self.engine.seat(seat).visit or "v0"
        if not mistaken and self.engine.seat(seat).state in ("calling", "talking", "holding"):
            self.talking.pop(visit, None)
            del self.since[visit]
            if early:
                self.let_down.add(seat)
        self.take(ConversationOver(seat, "v0" if mistaken else visit, lost, early=early))

    @rule(seat=seats, mistaken=st.booleans(), on=st.booleans())
    def on_hold(self, seat: str, mistaken: bool, on: bool) -> None:
        self.take(Held(seat, "v0" if mistaken else self.engine.seat(seat).visit or "v0", on))

    @rule(seat=seats, adviser=st.sampled_from(sorted(ADVISERS)))
    def found_talking(self, seat: str, adviser: str) -> None:
        if any(each.adviser == adviser for each in self.engine.seats()):
            return
        self.count += 1
        visit = f"v{self.count}"
        if self.engine.seat(seat).state not in ("calling", "talking", "holding", "wrap_up", "ringing"):
            self.talking[visit], self.since[visit] = seat, Instant(float(self.now))
            self.let_down.discard(seat)
            self.take(Talking(seat, adviser, visit))

    @rule(seconds=st.integers(1, 9))
    def time_passes(self, seconds: int) -> None:
        self.now += seconds
        self.take(Tick())

    # --- what is always true

    @invariant()
    def one_visit_a_seat_and_one_seat_a_visit(self) -> None:
        visits = [seat.visit for seat in self.engine.seats() if seat.visit]
        assert len(visits) == len(set(visits))
        for seat in self.engine.seats():
            assert (seat.visit is not None) == (seat.state in BUSY)

    @invariant()
    def one_seat_an_adviser(self) -> None:
        sitting = [seat.adviser for seat in self.engine.seats() if seat.adviser]
        assert len(sitting) == len(set(sitting))
        for seat in self.engine.seats():
            assert (seat.adviser is None) == (seat.state == "logged_out")

    @invariant()
    def nobody_is_lost(self) -> None:
        waiting = [one.visit for one in self.engine.waiting()]
        asked = self.consulted - set(self.talking)
        assert sorted([*waiting, *self.talking, *asked]) == sorted(self.since)
        assert {seat.visit for seat in self.engine.seats() if seat.state in ("talking", "holding")} == {*self.talking}
        assert self.held() <= {*waiting, *asked}

    @invariant()
    def the_first_wait_is_kept(self) -> None:
        for one in self.engine.waiting():
            assert one.since == self.since[one.visit]

    @invariant()
    def nobody_waits_for_a_seat_that_waits_for_somebody(self) -> None:
        held = self.held()
        idle = [seat for seat in self.engine.seats() if seat.state == "ready" and seat.reachable]
        for one in self.engine.waiting():
            if one.visit not in held:
                assert not any(self.may_take(seat.number, one) for seat in idle), f"{one.visit} waits in vain"

    @invariant()
    def positions_are_1_to_n(self) -> None:
        for queue in QUEUES:
            waiting = self.engine.waiting(queue)
            assert [self.engine.position(one.visit) for one in waiting] == list(range(1, len(waiting) + 1))

    @invariant()
    def a_gone_telephone_is_not_ready(self) -> None:
        for seat in self.engine.seats():
            assert seat.reachable or seat.state not in ("ready", "reserved", "wrap_up")

    @invariant()
    def what_was_told_is_what_is(self) -> None:
        assert {seat.number: seat.state for seat in self.engine.seats()} == self.states

    @invariant()
    def what_must_end_has_a_deadline_ahead(self) -> None:
        for seat in self.engine.seats():
            assert (seat.until is not None) == (seat.state in ("reserved", "wrap_up"))
        deadline = self.engine.next_deadline()
        assert deadline is None or deadline > self.now


TestAnyHistory = AnyHistory.TestCase
TestAnyHistory.settings = settings(max_examples=200, stateful_step_count=50, deadline=None)
