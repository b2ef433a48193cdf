"""The engine by examples: whose turn it is, which seat, and what each thing that happens to a seat leads to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress

import msgspec
import pytest

from calls.clock import Instant
from calls.errors import IllegalMove, NotPossible
from calls.facts import Chosen, PassedOver, SeatState
from calls.facts import NotAnswered as WhyNotAnswered
from calls.words import Needs, Relax, Urgency
from queues import (
    Accepted,
    Adviser,
    Answered,
    Calling,
    Configure,
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
)
from queues.engine import RESERVATION_S
from queues.seating import LEG_ENDS_S, LONGEST_WRAP_UP_S

ADVISERS = {
    "8001": Adviser("8001", {"cards": 3, "labour": 3}),
    "8002": Adviser("8002", {"cards": 5}),
    "8003": Adviser("8003", {"labour": 5}),
    "8004": Adviser("8004", {"cards": 3, "labour": 3}),
    "8005": Adviser("8005", {"cards": 1}, languages=("en",), site="county"),
}
QUEUES = {name: QueueRules(2) for name in ("general", "cards", "labour")}
CARDS, LABOUR, ANYONE = (
    Needs({"cards": 1}, "cards"),
    Needs({"labour": 4}, "labour"),
    Needs({}, "general"),
)
WRAP_UP_S = 30.0


class Room:
    """An engine and a clock, to write a story with."""

    def __init__(self, queues: Mapping[str, QueueRules] = QUEUES) -> None:
        self.engine = Engine(("1001", "1002", "1003"), ADVISERS, queues, WRAP_UP_S)
        self.now = 0.0

    def take(self, event: Input, *, after: float = 1.0) -> list[Output]:
        self.now += after
        return self.engine.take(event, Instant(self.now))

    def sit(self, seat: str, adviser: str) -> list[Output]:
        self.take(PhoneSeen(seat, True))
        return self.take(SitDown(seat, adviser))

    def join(self, visit: str, needs: Needs = ANYONE, *, since: float | None = None) -> list[Output]:
        at = self.now + 1 if since is None else since
        return self.take(Join(visit, needs, Instant(at), returned=since is not None))

    def ring(self, seat: str) -> int:
        generation = self.engine.seat(seat).generation
        self.take(Accepted(seat, generation))
        return generation

    def talk(self, seat: str) -> None:
        self.take(Answered(seat, self.ring(seat)))

    def hang_up(self, seat: str, *, lost: bool = False) -> list[Output]:
        return self.take(ConversationOver(seat, self.engine.seat(seat).visit or "", lost))

    def bring_to(self, state: SeatState) -> None:
        """Seat 1001 in that state, with adviser 8001 and caller v1 where there is one."""
        self.take(PhoneSeen("1001", True))
        steps: dict[SeatState, Callable[[], object]] = {
            "logged_out": lambda: None,
            "ready": lambda: self.take(SitDown("1001", "8001")),
            "not_ready": lambda: self.take(StandUp("1001", "break")),
            "reserved": lambda: (self.take(SitDown("1001", "8001")), self.join("v1")),
            "ringing": lambda: self.ring("1001"),
            "calling": lambda: self.take(Calling("1001", self.engine.seat("1001").generation)),
            "talking": lambda: self.take(Answered("1001", self.engine.seat("1001").generation)),
            "holding": lambda: self.take(Held("1001", "v1", True)),
            "wrap_up": lambda: self.hang_up("1001"),
        }
        for step, carry_out in steps.items():
            carry_out()
            if step == state:
                break
        assert self.state() == state

    def state(self, seat: str = "1001") -> SeatState:
        return self.engine.seat(seat).state

    def waiting(self, queue: str | None = None) -> list[str]:
        return [one.visit for one in self.engine.waiting(queue)]


@pytest.fixture
def room() -> Room:
    return Room()


def proposals(outputs: list[Output]) -> list[tuple[str, str]]:
    return [(out.visit, out.seat) for out in outputs if isinstance(out, Propose)]


BUSY: list[SeatState] = ["reserved", "ringing", "calling", "talking", "holding"]


# Whose turn, which seat


def test_a_caller_gets_the_seat_that_has_rested_longest(room: Room) -> None:
    room.sit("1002", "8004")
    room.sit("1001", "8001")
    outputs = room.join("v1", CARDS)

    assert outputs == [
        SeatMoved("1002", "8004", "reserved", ""),
        Propose(
            "v1",
            "1002",
            "8004",
            1,
            "waited 0.0 s, first in turn; fewest surplus levels (5), rested 3.0 s",
            Chosen(waited_ms=0, rested_ms=3000, surplus=5, preferred=False),
            (PassedOver("rest", "", 1, ("1001",)),),
        ),
    ]


def test_why_tells_of_every_other_seat_and_of_those_who_came_before(room: Room) -> None:
    for seat, adviser in (("1001", "8001"), ("1002", "8003"), ("1003", "8002")):
        room.sit(seat, adviser)
        room.take(StandUp(seat, "break"))
    room.join("v1", LABOUR)
    room.join("v2", msgspec.structs.replace(CARDS, language="en", urgency="urgent"), since=room.now)
    room.take(SitDown("1003", "8002"))
    room.take(SitDown("1001", "8001"))
    proposal = room.join("v3", msgspec.structs.replace(CARDS, preferred="8001"))[-1]

    assert isinstance(proposal, Propose)
    assert proposal.seat == "1001"
    assert proposal.why.endswith("preferred adviser, rested 1.0 s")
    assert proposal.seats_passed == (
        PassedOver("not_preferred", "", 1, ("1003",)),
        PassedOver("not_ready", "", 1, ()),
    )
    assert proposal.callers_passed == (PassedOver("language", "en", 1), PassedOver("skill", "labour 4", 1))


def test_a_free_seat_takes_whoever_waits_longest(room: Room) -> None:
    room.sit("1001", "8001")
    room.join("v1")
    room.join("v2", CARDS)
    room.join("v3")
    room.talk("1001")
    room.hang_up("1001")

    assert proposals(room.take(Tick(), after=WRAP_UP_S)) == [("v2", "1001")]


def test_one_whom_nobody_here_can_serve_does_not_hold_back_the_next(room: Room) -> None:
    room.sit("1001", "8003")
    room.take(StandUp("1001", "break"))
    room.join("v1", LABOUR)
    room.sit("1002", "8002")

    assert proposals(room.join("v2", CARDS)) == [("v2", "1002")]
    assert room.waiting() == ["v1", "v2"]


def test_a_level_that_is_too_low_is_not_enough(room: Room) -> None:
    room.sit("1001", "8001")  # labour 3, and 4 is needed

    assert room.join("v1", LABOUR) == [TurnedAway("v1", "no_seat")]


def test_callers_of_the_same_instant_go_in_the_order_they_came(room: Room) -> None:
    room.sit("1001", "8001")
    room.take(StandUp("1001", "break"))
    for visit in ("v2", "v1"):
        room.take(Join(visit, ANYONE, Instant(5.0)), after=0)

    assert room.waiting() == ["v2", "v1"]
    assert proposals(room.take(SitDown("1001", "8001"))) == [("v2", "1001")]


def test_seats_that_rested_equally_long_go_by_their_number(room: Room) -> None:
    for seat in ("1002", "1001"):
        room.take(PhoneSeen(seat, True), after=0)
    room.take(SitDown("1002", "8004"), after=0)
    room.take(SitDown("1001", "8001"), after=0)

    assert proposals(room.join("v1")) == [("v1", "1001")]


def test_a_specialist_stays_free_for_whom_only_a_specialist_can_help(room: Room) -> None:
    room.sit("1001", "8001")
    room.sit("1002", "8005")

    assert proposals(room.join("v1", CARDS)) == [("v1", "1002")]
    assert proposals(room.join("v2", CARDS)) == [("v2", "1001")]


def test_the_preferred_adviser_is_chosen_where_free_and_never_waited_for(room: Room) -> None:
    room.sit("1001", "8001")
    room.sit("1002", "8005")
    asks = msgspec.structs.replace(CARDS, preferred="8001")

    assert proposals(room.join("v1", asks)) == [("v1", "1001")]
    assert proposals(room.join("v2", asks)) == [("v2", "1002")]


def test_a_preferred_adviser_without_the_skill_is_not_chosen(room: Room) -> None:
    room.sit("1001", "8002")
    room.sit("1002", "8003")

    assert proposals(room.join("v1", msgspec.structs.replace(LABOUR, preferred="8002"))) == [("v1", "1002")]


def test_a_language_is_spoken_by_whom_it_names(room: Room) -> None:
    english = msgspec.structs.replace(ANYONE, language="en")
    room.sit("1001", "8001")

    assert room.join("v1", english) == [TurnedAway("v1", "no_seat")]
    room.sit("1002", "8005")
    assert proposals(room.join("v2", english)) == [("v2", "1002")]


@pytest.mark.parametrize(
    ("urgency", "later_s", "first"),
    [
        ("urgent", 899, "v3"),
        ("urgent", 901, "v2"),
        ("crisis", 7199, "v3"),
        ("spare", -86_399, "v2"),
        ("spare", -86_401, "v3"),
    ],
)
def test_urgency_is_a_head_start_and_nobody_is_passed_for_ever(
    room: Room, urgency: Urgency, later_s: float, first: str
) -> None:
    room.bring_to("talking")
    room.join("v2", since=room.now)
    room.join("v3", msgspec.structs.replace(ANYONE, urgency=urgency), since=room.now - 1 + later_s)

    assert room.waiting()[0] == first


def test_needs_relax_with_the_wait_and_a_step_may_end_again() -> None:
    room = Room({"cards": QueueRules(9, (Relax(30, levels=2, until_s=40), Relax(60, levels=2, any_site=True)))})
    expert = Needs({"cards": 3}, "cards", site="county")
    room.sit("1001", "8005")
    for visit in ("v1", "v2", "v3"):
        room.join(visit, expert)

    assert proposals(room.take(Tick(), after=27)) == []
    assert room.engine.next_deadline() == 33.0
    assert proposals(room.take(Tick(), after=2)) == [("v1", "1001")]
    room.talk("1001")
    room.hang_up("1001")
    assert proposals(room.take(SitDown("1001", "8005"), after=15)) == []  # too late for the first step
    assert proposals(room.take(Tick(), after=16)) == [("v2", "1001")]


def test_whom_only_a_relaxed_rule_could_serve_may_wait() -> None:
    room = Room({"cards": QueueRules(9, (Relax(30, any_site=True),))})
    room.sit("1001", "8001")
    county = Needs({"cards": 1}, "cards", site="county")

    assert room.join("v1", county) == []
    assert proposals(room.take(Tick(), after=30)) == [("v1", "1001")]


def test_new_rules_hold_for_those_who_wait_already(room: Room) -> None:
    room.sit("1001", "8005")
    room.sit("1002", "8001")
    room.take(StandUp("1002", "break"))
    room.join("v1", Needs({"cards": 3}, "cards"))

    assert proposals(room.take(Configure(ADVISERS, {"cards": QueueRules(9, (Relax(1, levels=2),))}))) == [
        ("v1", "1001")
    ]


def test_who_cannot_be_served_never_holds_back_the_next(room: Room) -> None:
    room.sit("1001", "8001")
    room.sit("1002", "8003")
    room.sit("1003", "8002")
    for seat in ("1001", "1002", "1003"):
        room.take(StandUp(seat, "break"))
    room.join("v1", LABOUR)
    room.join("v2", CARDS)

    assert proposals(room.take(SitDown("1003", "8002"))) == [("v2", "1003")]


# Waiting


def test_a_full_queue_is_said(room: Room) -> None:
    room.bring_to("talking")
    room.join("v2")
    room.join("v3")

    assert room.join("v4") == [TurnedAway("v4", "full")]
    assert room.join("c1", CARDS) == []  # another queue has room
    assert room.waiting("general") == ["v2", "v3"]


def test_who_need_not_wait_is_never_one_too_many(room: Room) -> None:
    for number, adviser in (("1001", "8001"), ("1002", "8002"), ("1003", "8003")):
        room.sit(number, adviser)
    room.join("v1")
    room.join("v2")

    assert room.waiting("general") == ["v1", "v2"]  # both are rung for, so the queue counts as full
    assert proposals(room.join("v3")) == [("v3", "1001")]


def test_whoever_is_to_be_called_back_takes_nobodys_room(room: Room) -> None:
    room.bring_to("talking")
    for visit in ("back1", "back2", "back3", "back4"):
        room.take(Join(visit, ANYONE, Instant(room.now), returned=True, away=True))
    for visit in ("v2", "v3"):
        assert room.join(visit) == []
    room.take(PhoneSeen("1002", True))
    room.sit("1002", "8004")  # reserved for back1, and put back
    room.take(Leave("back2"))
    room.take(NotAnswered("1002", room.engine.seat("1002").generation, "no_answer"))
    assert room.join("v4") == [TurnedAway("v4", "full")]
    room.take(Leave("v2"))
    assert room.join("v5") == []


def test_a_queue_that_no_line_has_is_full(room: Room) -> None:
    room.bring_to("talking")

    assert room.join("v2", Needs({}, "nowhere")) == [TurnedAway("v2", "full")]


def test_a_seat_that_is_not_ready_is_there_all_the_same(room: Room) -> None:
    room.bring_to("not_ready")

    assert room.join("v2") == []
    assert room.engine.position("v2") == 1


def test_who_returns_is_let_in_whatever_is_full_and_first_by_the_first_wait(room: Room) -> None:
    room.bring_to("talking")
    room.join("v2")
    room.join("v3")
    room.join("v1.2", since=1.0)

    assert room.waiting() == ["v1.2", "v2", "v3"]
    assert [room.engine.position(visit) for visit in ("v1.2", "v2", "v3")] == [1, 2, 3]
    assert proposals(room.hang_up("1001")) == []
    assert proposals(room.take(Tick(), after=WRAP_UP_S)) == [("v1.2", "1001")]


def test_a_kept_place_finds_room_in_a_full_queue_but_no_adviser_who_has_left(room: Room) -> None:
    room.bring_to("talking")
    room.join("v2")
    room.join("v3")
    kept = Join("again", ANYONE, Instant(1.0), kept=True)

    assert room.take(kept) == []
    assert room.waiting("general") == ["again", "v2", "v3"]
    room.hang_up("1001")
    room.take(LogOut("1001"), after=WRAP_UP_S)
    assert room.take(Join("late", ANYONE, Instant(1.0), kept=True)) == [TurnedAway("late", "no_seat")]


def test_positions_are_counted_in_each_queue_and_a_rung_for_caller_is_still_first(room: Room) -> None:
    room.bring_to("ringing")
    room.join("v2")
    room.join("c1", CARDS)

    assert [room.engine.position(visit) for visit in ("v1", "v2", "c1")] == [1, 2, 1]
    room.take(Answered("1001", 1))
    assert [room.engine.position(visit) for visit in ("v1", "v2", "c1")] == [None, 1, 1]


def test_joining_twice_is_joining_once(room: Room) -> None:
    room.bring_to("reserved")
    room.sit("1002", "8002")

    assert room.join("v1", since=0.0) == []
    assert room.waiting() == ["v1"]
    room.talk("1001")
    assert room.join("v1", since=0.0) == []
    assert room.waiting() == []


# Propose, reserve, commit


def test_a_seat_that_did_not_answer_is_not_ready_and_the_caller_goes_on_to_the_next(room: Room) -> None:
    room.bring_to("ringing")
    room.sit("1002", "8002")
    outputs = room.take(NotAnswered("1001", 1, "no_answer"))

    assert outputs[0] == SeatMoved("1001", "8001", "not_ready", "no_answer")
    assert proposals(outputs) == [("v1", "1002")]
    assert proposals(room.join("v2")) == []
    assert proposals(room.take(SitDown("1001", "8001"))) == [("v2", "1001")]


def test_a_caller_whose_seat_did_not_answer_is_first_again(room: Room) -> None:
    room.bring_to("ringing")
    room.join("v2")
    room.take(NotAnswered("1001", 1, "no_answer"))

    assert room.waiting() == ["v1", "v2"]
    assert proposals(room.take(SitDown("1001", "8001"))) == [("v1", "1001")]


def test_a_reservation_that_nobody_accepts_ends(room: Room) -> None:
    room.bring_to("reserved")
    room.sit("1002", "8002")
    assert room.engine.next_deadline() == room.engine.seat("1001").since + RESERVATION_S
    outputs = room.take(Tick(), after=RESERVATION_S)

    assert outputs[0] == SeatMoved("1001", "8001", "ready", "reservation_expired")
    assert proposals(outputs) == [("v1", "1002")]  # it has rested longer: the other began to rest just now


def test_late_answers_change_nothing(room: Room) -> None:
    room.bring_to("reserved")
    room.take(Tick(), after=RESERVATION_S)
    assert room.engine.seat("1001").generation == 2

    assert room.take(Accepted("1001", 1)) == []
    assert not room.engine.rings("1001", 1)
    assert room.take(NotAnswered("1001", 1, "busy")) == []
    assert room.take(Answered("1001", 1)) == []
    assert room.state() == "reserved"
    room.take(Accepted("1001", 2))
    assert room.engine.rings("1001", 2)
    assert not room.engine.rings("1001", 1)


def test_answers_about_a_seat_that_is_no_more_change_nothing(room: Room) -> None:
    room.bring_to("ready")
    for event in (
        PhoneSeen("1009", True),
        Accepted("1009", 0),
        Talking("1009", "8001", "v9"),
        Held("1009", "v9", True),
        ConversationOver("1009", "v9"),
    ):
        assert room.take(event) == []
    assert not room.engine.rings("1009", 0)


# On hold


def test_a_caller_on_hold_is_not_free_to_be_taken_and_is_taken_back(room: Room) -> None:
    room.bring_to("talking")
    room.join("v2")
    assert room.take(Held("1001", "v1", True)) == [SeatMoved("1001", "8001", "holding", "")]
    assert room.take(Held("1001", "v1", True)) == []
    assert room.waiting() == ["v2"]
    assert room.take(Held("1001", "v1", False)) == [SeatMoved("1001", "8001", "talking", "")]
    assert room.take(Held("1001", "v1", False)) == []


def test_who_hangs_up_before_they_heard_each_other_has_not_answered(room: Room) -> None:
    room.bring_to("talking")
    room.take(ConversationOver("1001", "v1", hung_up=True, early=True))
    seat = room.engine.seat("1001")
    assert (seat.state, seat.reason) == ("not_ready", "left_early")
    assert proposals(room.take(Join("v1", ANYONE, Instant(0.0), returned=True))) == []


@pytest.mark.parametrize(("lost", "then"), [(False, "wrap_up"), (True, "not_ready")])
def test_a_conversation_may_end_on_hold(room: Room, lost: bool, then: SeatState) -> None:
    room.bring_to("holding")
    room.hang_up("1001", lost=lost)
    assert room.state() == then


def test_nobody_is_on_hold_at_a_seat_that_has_not_answered_or_has_another(room: Room) -> None:
    room.bring_to("ringing")
    assert room.take(Held("1001", "v1", True)) == []
    room.take(Answered("1001", room.engine.seat("1001").generation))
    assert room.take(Held("1001", "v0", True)) == []
    assert room.state() == "talking"


# Leaving


@pytest.mark.parametrize("state", ["reserved", "ringing"])
def test_who_leaves_frees_the_seat_for_the_next(room: Room, state: SeatState) -> None:
    room.bring_to(state)
    room.join("v2")
    outputs = room.take(Leave("v1"))

    assert outputs[0] == SeatMoved("1001", "8001", "ready", "caller_left")
    assert proposals(outputs) == [("v2", "1001")]
    assert room.take(Leave("v1")) == []


def test_a_seat_that_called_back_in_vain_has_its_wrap_up(room: Room) -> None:
    room.bring_to("calling")
    room.join("v2")
    assert room.take(ConversationOver("1001", "v1", hung_up=True)) == [SeatMoved("1001", "8001", "wrap_up", "")]
    assert room.waiting() == ["v2"]


def test_a_call_back_that_is_broken_off_leaves_the_seat_to_its_wrap_up(room: Room) -> None:
    room.bring_to("calling")
    assert room.take(Leave("v1")) == [SeatMoved("1001", "8001", "wrap_up", "")]
    assert room.waiting() == []


def test_who_calls_back_from_a_telephone_that_goes_is_not_ready(room: Room) -> None:
    room.bring_to("calling")
    room.take(PhoneSeen("1001", False))
    assert room.take(Leave("v1")) == [SeatMoved("1001", "8001", "not_ready", "phone_gone")]


def test_leaving_while_talking_is_not_the_end_of_the_conversation(room: Room) -> None:
    room.bring_to("talking")

    assert room.take(Leave("v1")) == []
    assert room.state() == "talking"


def test_who_leaves_a_seat_whose_telephone_went_while_it_rang_leaves_it_not_ready(room: Room) -> None:
    room.bring_to("ringing")
    room.take(PhoneSeen("1001", False))

    assert room.take(Leave("v1")) == [SeatMoved("1001", "8001", "not_ready", "phone_gone")]


# The end of a conversation


def test_wrap_up_lasts_longer_when_asked_and_never_too_long(room: Room) -> None:
    room.bring_to("wrap_up")
    assert room.take(MoreTime("1001")) == [SeatMoved("1001", "8001", "wrap_up", "more time, 89 s left")]
    assert room.take(Tick(), after=WRAP_UP_S) == []
    for _ in range(10):
        with suppress(NotPossible):
            room.take(MoreTime("1001"))
    with pytest.raises(NotPossible, match="as long as it may be, 300 s: say that you are not ready"):
        room.take(MoreTime("1001"))
    assert room.take(Tick(), after=LONGEST_WRAP_UP_S) == [SeatMoved("1001", "8001", "ready", "wrap_up_over")]
    with pytest.raises(NotPossible, match="more time is for wrap-up, after a conversation"):
        room.take(MoreTime("1001"))


def test_wrap_up_ends_by_itself(room: Room) -> None:
    room.bring_to("wrap_up")

    assert room.take(Tick(), after=WRAP_UP_S - 1) == []
    assert room.take(Tick()) == [SeatMoved("1001", "8001", "ready", "wrap_up_over")]
    assert room.engine.next_deadline() is None


@pytest.mark.parametrize("gone_meanwhile", [True, False])
def test_a_seat_whose_telephone_was_lost_is_not_ready(room: Room, gone_meanwhile: bool) -> None:
    room.bring_to("talking")
    if gone_meanwhile:
        assert room.take(PhoneSeen("1001", False)) == []  # the conversation decides when it is over, not this

    assert room.hang_up("1001", lost=not gone_meanwhile) == [SeatMoved("1001", "8001", "not_ready", "phone_gone")]


def test_the_end_of_another_conversation_is_not_the_end_of_this(room: Room) -> None:
    room.bring_to("talking")

    assert room.take(ConversationOver("1001", "v0")) == []
    assert room.state() == "talking"


# Calling a lost caller back


@pytest.mark.parametrize("state", ["ready", "not_ready", "wrap_up"])
def test_the_adviser_of_a_lost_caller_has_them_at_once_whoever_waits(room: Room, state: SeatState) -> None:
    room.bring_to(state)
    if state == "wrap_up":
        room.join("v2")
    outputs = room.take(Redial("1001", "back", CARDS, Instant(room.now)))

    assert proposals(outputs) == [("back", "1001")]
    room.take(Accepted("1001", room.engine.seat("1001").generation))
    room.take(Calling("1001", room.engine.seat("1001").generation))
    room.take(Answered("1001", room.engine.seat("1001").generation))
    room.hang_up("1001")
    outputs = room.take(Tick(), after=WRAP_UP_S)
    paused = [SeatMoved("1001", "8001", "not_ready", "break")]
    assert outputs[:1] == (paused if state == "not_ready" else [SeatMoved("1001", "8001", "ready", "wrap_up_over")])


@pytest.mark.parametrize("state", ["logged_out", *BUSY])
def test_a_seat_that_cannot_call_back_says_why(room: Room, state: SeatState) -> None:
    room.bring_to(state)
    before = room.waiting()
    with pytest.raises(NotPossible):
        room.take(Redial("1001", "back", CARDS, Instant(room.now)))
    assert (room.state(), room.waiting()) == (state, before)


def test_a_redial_that_its_seat_does_not_take_up_is_anybodys(room: Room) -> None:
    room.bring_to("not_ready")
    crisis = msgspec.structs.replace(ANYONE, urgency="crisis")
    room.take(Redial("1001", "back", crisis, Instant(room.now)))
    room.sit("1002", "8004")
    assert proposals(room.take(NotAnswered("1001", room.engine.seat("1001").generation, "no_answer"))) == [
        ("back", "1002")
    ]


# A colleague asks


@pytest.mark.parametrize("state", ["ready", "not_ready", "wrap_up"])
def test_an_adviser_who_is_asked_is_busy_with_it_and_a_pause_goes_on_afterwards(room: Room, state: SeatState) -> None:
    room.bring_to(state)
    outputs = room.take(Consult("1001", "asked"))

    assert proposals(outputs) == [("asked", "1001")]
    assert room.waiting() == []
    generation = room.engine.seat("1001").generation
    room.take(Accepted("1001", generation))
    room.take(Answered("1001", generation))
    assert room.state() == "talking"
    room.take(ConversationOver("1001", "asked"))
    outputs = room.take(Tick(), after=WRAP_UP_S)
    assert outputs[:1] == [
        SeatMoved("1001", "8001", "not_ready", "break")
        if state == "not_ready"
        else SeatMoved("1001", "8001", "ready", "wrap_up_over")
    ]


def test_whoever_does_not_answer_a_colleague_leaves_nobody_waiting(room: Room) -> None:
    room.bring_to("ready")
    room.take(Consult("1001", "asked"))
    generation = room.engine.seat("1001").generation
    room.take(Accepted("1001", generation))
    assert room.take(NotAnswered("1001", generation, "no_answer")) == [
        SeatMoved("1001", "8001", "not_ready", "no_answer")
    ]
    assert room.waiting() == []


def test_a_wrap_up_goes_on_after_a_colleague_who_asks_no_more(room: Room) -> None:
    room.bring_to("wrap_up")
    room.join("v2")
    room.take(Consult("1001", "asked"))
    room.take(Accepted("1001", room.engine.seat("1001").generation))
    assert room.take(Leave("asked")) == [SeatMoved("1001", "8001", "wrap_up", "caller_left")]
    assert room.take(Tick(), after=WRAP_UP_S - 5) == []
    assert proposals(room.take(Tick(), after=5)) == [("v2", "1001")]


def test_whoever_is_asked_no_more_has_the_next_caller_once_the_telephone_is_free(room: Room) -> None:
    room.bring_to("ready")
    room.take(Consult("1001", "asked"))
    room.take(Accepted("1001", room.engine.seat("1001").generation))
    room.join("v2")
    room.take(Leave("asked"))
    assert room.state() == "wrap_up"
    assert proposals(room.take(Tick(), after=LEG_ENDS_S)) == [("v2", "1001")]


def test_a_pause_that_was_asked_for_goes_on_after_a_colleague_has_asked_in_wrap_up(room: Room) -> None:
    room.bring_to("talking")
    room.take(StandUp("1001", "break"))
    room.hang_up("1001")
    room.take(Consult("1001", "asked"))
    assert room.take(Leave("asked")) == [SeatMoved("1001", "8001", "not_ready", "break")]


@pytest.mark.parametrize("state", ["logged_out", *BUSY])
def test_a_seat_that_cannot_be_asked_says_why(room: Room, state: SeatState) -> None:
    room.bring_to(state)
    with pytest.raises(NotPossible, match="choose another seat"):
        room.take(Consult("1001", "asked"))
    assert room.state() == state


# A caller whom a team lead gives to a seat


PENSION = Needs({"pension": 2}, "cards")


@pytest.mark.parametrize("state", ["ready", "not_ready"])
def test_a_pulled_caller_is_the_seats_at_once_whatever_the_rule_says_and_a_pause_goes_on(
    room: Room, state: SeatState
) -> None:
    room.sit("1002", "8002")
    room.take(StandUp("1002", "meeting"))
    room.join("first", PENSION, since=0)
    room.join("second", PENSION, since=5)
    room.bring_to(state)
    outputs = room.take(Pull("1001", "second"))

    (proposal,) = [output for output in outputs if isinstance(output, Propose)]
    assert (proposal.visit, proposal.seat, proposal.adviser) == ("second", "1001", "8001")
    assert proposal.why == "pulled: skill pension 2"
    assert proposal.callers_passed == (PassedOver("pulled", "", 1),)
    room.talk("1001")
    room.hang_up("1001")
    over = room.take(Tick(), after=WRAP_UP_S)[0]
    paused = SeatMoved("1001", "8001", "not_ready", "break")
    assert over == (paused if state == "not_ready" else SeatMoved("1001", "8001", "ready", "wrap_up_over"))
    assert room.waiting() == ["first"]


def test_whoever_could_have_been_chosen_by_the_rule_is_pulled_without_another_word(room: Room) -> None:
    room.bring_to("not_ready")
    room.join("v2", CARDS, since=0)
    (proposal,) = [output for output in room.take(Pull("1001", "v2")) if isinstance(output, Propose)]
    assert proposal.why == "pulled"


@pytest.mark.parametrize("reason", ["no_answer", "busy", "refused", "unreachable"])
def test_a_pulled_caller_whom_the_seat_does_not_answer_waits_on_at_the_same_place(
    room: Room, reason: WhyNotAnswered
) -> None:
    room.bring_to("not_ready")
    for visit, since in (("v2", 0), ("v3", 1), ("v4", 2)):
        room.join(visit, CARDS, since=since)
    room.take(Pull("1001", "v3"))
    generation = room.ring("1001")
    room.take(NotAnswered("1001", generation, reason))

    assert room.waiting() == ["v2", "v3", "v4"]
    assert room.state() == "not_ready"
    with pytest.raises(NotPossible, match="must say first that they are there"):
        room.take(Pull("1001", "v3"))


def test_a_reservation_that_nobody_accepts_gives_a_pulled_caller_back(room: Room) -> None:
    room.bring_to("not_ready")
    room.join("v2", CARDS, since=0)
    room.take(Pull("1001", "v2"))
    assert SeatMoved("1001", "8001", "not_ready", "break") in room.take(Tick(), after=RESERVATION_S)
    assert room.waiting() == ["v2"]


@pytest.mark.parametrize("state", ["logged_out", "wrap_up", *BUSY])
def test_a_seat_that_can_be_given_nobody_says_why(room: Room, state: SeatState) -> None:
    room.bring_to(state)
    room.join("v9", PENSION, since=0)
    before = room.waiting()
    with pytest.raises(NotPossible):
        room.take(Pull("1001", "v9"))
    assert (room.state(), room.waiting()) == (state, before)


def test_whoever_is_rung_for_already_or_waits_no_more_is_not_pulled(room: Room) -> None:
    room.bring_to("ringing")
    room.sit("1002", "8002")
    with pytest.raises(NotPossible, match="seat 1001 has this caller already"):
        room.take(Pull("1002", "v1"))
    room.join("v2", PENSION, since=0)
    room.take(Pull("1002", "v2"))
    room.sit("1003", "8003")
    with pytest.raises(NotPossible, match="seat 1002 has this caller already"):
        room.take(Pull("1003", "v2"))
    room.take(StandUp("1003", "break"))
    with pytest.raises(NotPossible, match="waits no more"):
        room.take(Pull("1003", "v9"))


# What the adviser wishes


@pytest.mark.parametrize("state", BUSY)
def test_a_pause_wished_for_during_a_call_comes_after_it(room: Room, state: SeatState) -> None:
    room.bring_to(state)
    assert room.take(StandUp("1001", "lunch")) == []
    if state in ("reserved", "ringing"):
        assert room.take(Leave("v1")) == [SeatMoved("1001", "8001", "not_ready", "lunch")]
        return
    room.hang_up("1001")
    assert room.state() == "wrap_up"
    assert room.take(Tick(), after=WRAP_UP_S) == [SeatMoved("1001", "8001", "not_ready", "lunch")]


@pytest.mark.parametrize("state", BUSY)
def test_the_wish_may_be_taken_back(room: Room, state: SeatState) -> None:
    room.bring_to(state)
    room.take(StandUp("1001", "lunch"))
    assert room.take(SitDown("1001", "8001")) == []
    if state in ("reserved", "ringing"):
        room.take(Leave("v1"))
    else:
        room.hang_up("1001")
        room.take(Tick(), after=WRAP_UP_S)
    assert room.state() == "ready"


@pytest.mark.parametrize(
    "forgets",
    [
        lambda room: room.take(NotAnswered("1001", room.ring("1001"), "no_answer")),
        lambda room: room.take(PhoneSeen("1001", False)),
        lambda room: (room.talk("1001"), room.hang_up("1001", lost=True)),
        lambda room: (room.talk("1001"), room.hang_up("1001"), room.take(SitDown("1001", "8001"))),
        lambda room: (room.talk("1001"), room.hang_up("1001"), room.take(LogOut("1001"))),
    ],
    ids=["not answered", "phone gone", "lost", "ready in wrap-up", "logged out in wrap-up"],
)
def test_a_wish_for_one_call_does_not_outlive_it(room: Room, forgets: Callable[[Room], object]) -> None:
    room.bring_to("reserved")
    room.take(StandUp("1001", "lunch"))
    forgets(room)
    room.take(Leave("v1"))
    room.sit("1001", "8001")
    room.join("v2")
    room.talk("1001")
    room.hang_up("1001")
    room.take(Tick(), after=WRAP_UP_S)

    assert room.state() == "ready"


def test_ready_twice_does_not_cost_the_seat_its_rest(room: Room) -> None:
    room.sit("1001", "8001")
    room.sit("1002", "8004")

    assert room.take(SitDown("1001", "8001")) == []
    assert proposals(room.join("v1")) == [("v1", "1001")]


def test_an_adviser_sits_down_not_ready_yet(room: Room) -> None:
    room.take(PhoneSeen("1001", True))

    assert room.take(SitDown("1001", "8001", "training")) == [SeatMoved("1001", "8001", "not_ready", "training")]
    assert room.join("v1") == []
    assert proposals(room.take(SitDown("1001", "8001"))) == [("v1", "1001")]


def test_another_adviser_may_take_over_a_seat_that_is_free(room: Room) -> None:
    room.bring_to("wrap_up")

    assert room.take(SitDown("1001", "8002")) == [SeatMoved("1001", "8002", "ready", "")]
    room.sit("1002", "8001")


REFUSED: list[tuple[SeatState, Input, str]] = [
    ("ready", SitDown("1002", "8001"), "sits at seat 1001: log out there first"),
    ("ready", SitDown("1001", "8009"), "there is no adviser 8009; add the number to lines/advisers.yaml and reload"),
    ("ready", SitDown("1009", "8002"), "there is no seat 1009; the seats are 1001, 1002, 1003 (setting `seats`)"),
    ("logged_out", SitDown("1002", "8001"), "the telephone of seat 1002 is not registered: start it"),
    ("logged_out", StandUp("1001", "break"), "nobody sits at seat 1001: name an adviser to sit down there first"),
    *(("reserved", event, "wait for the end") for event in (SitDown("1001", "8002"),)),
    *((state, LogOut("1001"), f"seat 1001 is {state}: end the call first") for state in BUSY),
]


@pytest.mark.parametrize(("state", "wish", "reason"), REFUSED)
def test_a_wish_that_cannot_be_granted_is_refused_in_words(
    room: Room, state: SeatState, wish: Input, reason: str
) -> None:
    room.bring_to(state)
    before = room.engine.seat("1001").__dict__ | {"waiting": room.waiting()}
    with pytest.raises(NotPossible) as refused:
        room.take(wish)

    assert reason in str(refused.value)
    assert room.engine.seat("1001").__dict__ | {"waiting": room.waiting()} == before


def test_who_leaves_the_seat_is_gone_from_it(room: Room) -> None:
    room.bring_to("ready")

    assert room.take(LogOut("1001")) == [SeatMoved("1001", None, "logged_out", "")]
    assert room.take(LogOut("1001")) == []
    assert room.join("v1") == [TurnedAway("v1", "no_seat")]
    room.sit("1002", "8001")


# Telephones


def test_a_telephone_that_is_gone_is_not_rung(room: Room) -> None:
    room.bring_to("ready")

    assert room.take(PhoneSeen("1001", False)) == [SeatMoved("1001", "8001", "not_ready", "phone_gone")]
    assert room.join("v1") == []
    room.take(PhoneSeen("1001", True))
    assert room.state() == "not_ready"  # somebody says when there is somebody again
    assert proposals(room.take(SitDown("1001", "8001"))) == [("v1", "1001")]


def test_a_telephone_that_goes_while_reserved_gives_the_caller_back(room: Room) -> None:
    room.bring_to("reserved")
    room.sit("1002", "8002")
    outputs = room.take(PhoneSeen("1001", False))

    assert outputs[0] == SeatMoved("1001", "8001", "not_ready", "phone_gone")
    assert proposals(outputs) == [("v1", "1002")]
    assert room.take(Accepted("1001", 1)) == []


# A new controller


@pytest.mark.parametrize("state", ["logged_out", "not_ready", "ready"])
def test_a_conversation_found_going_on_is_taken_over(room: Room, state: SeatState) -> None:
    if state == "not_ready":
        room.bring_to("ready")
        room.take(StandUp("1001", "break"))
    else:
        room.bring_to(state)

    assert room.take(Talking("1001", "8002", "v7")) == [SeatMoved("1001", "8002", "talking", "found")]
    room.take(Held("1001", "v7", True))
    assert room.take(Talking("1001", "8002", "v7")) == []
    room.hang_up("1001")
    assert room.state() == "wrap_up"


def test_whoever_a_seat_was_reserved_for_keeps_the_turn_when_a_conversation_is_found_there(room: Room) -> None:
    room.bring_to("reserved")
    room.join("v2")
    outputs = room.take(Talking("1001", "8001", "v7"))

    assert outputs == [SeatMoved("1001", "8001", "talking", "found")]
    assert [waiting.visit for waiting in room.engine.waiting()] == ["v1", "v2"]
    assert room.take(Accepted("1001", 1)) == []
    assert not room.engine.rings("1001", 1)


def test_a_conversation_cannot_be_found_at_a_seat_that_talks_to_another(room: Room) -> None:
    room.bring_to("talking")
    with pytest.raises(IllegalMove, match="1001"):
        room.take(Talking("1001", "8002", "v7"))

    assert (room.engine.seat("1001").adviser, room.engine.seat("1001").visit) == ("8001", "v1")


def test_a_conversation_cannot_be_found_at_a_second_seat(room: Room) -> None:
    room.bring_to("talking")
    room.sit("1002", "8002")
    with pytest.raises(IllegalMove, match="another seat has it"):
        room.take(Talking("1002", "8002", "v1"))

    assert (room.state("1002"), room.engine.seat("1002").visit) == ("ready", None)
    assert room.hang_up("1001") == [SeatMoved("1001", "8001", "wrap_up", "")]


def test_advisers_who_are_no_longer_named_get_no_more_calls(room: Room) -> None:
    room.bring_to("ready")
    room.take(Configure({"8002": ADVISERS["8002"]}, QUEUES))

    assert room.join("v1") == [TurnedAway("v1", "no_seat")]
    assert room.take(StandUp("1001", "break")) == [SeatMoved("1001", "8001", "not_ready", "break")]
