"""Two brains by accident: each decides for itself, both ring the same telephones. It costs order, never a second call.

The world between them is what real telephones and Asterisk do: a telephone that has a call refuses another one, and a
caller's channel can be in one bridge only. Each brain is told late or never what the other does, and one may be replaced at any
moment.
"""

from __future__ import annotations

from contextlib import suppress

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from calls.clock import Instant
from calls.errors import NotPossible
from calls.words import Needs
from queues import (
    Accepted,
    Adviser,
    Answered,
    ConversationOver,
    Engine,
    Input,
    Join,
    Leave,
    NotAnswered,
    PhoneSeen,
    Propose,
    Pull,
    QueueRules,
    SitDown,
    Tick,
)

ADVISERS = {"8001": Adviser("8001", {}), "8002": Adviser("8002", {}), "8003": Adviser("8003", {})}
SEATS = dict(zip(("1001", "1002", "1003"), ADVISERS, strict=True))
ANYONE = Needs({}, "general")

brains = st.integers(0, 1)


class TwoBrains(RuleBasedStateMachine):
    """Each brain hears of every arrival, of its own rings, and of nothing else that the other one does."""

    def __init__(self) -> None:
        super().__init__()
        self.engines = [Engine(SEATS, ADVISERS, {"general": QueueRules(99)}, 2.0) for _ in range(2)]
        self.alive = [True, True]
        self.now, self.count = 100, 0
        self.proposed: list[list[Propose]] = [[], []]
        self.ringing: dict[str, tuple[int, Propose]] = {}
        """Of each telephone: for whom it rings, and by whose wish."""
        self.talking: dict[str, tuple[int, Propose]] = {}
        self.waiting: set[str] = set()
        self.ever_taken: list[str] = []
        """Callers who were brought together with an adviser."""

    def tell(self, brain: int, event: Input) -> None:
        if self.alive[brain]:
            outputs = self.engines[brain].take(event, Instant(float(self.now)))
            self.proposed[brain] += [output for output in outputs if isinstance(output, Propose)]

    @initialize()
    def morning(self) -> None:
        for brain in (0, 1):
            for seat, adviser in SEATS.items():
                self.tell(brain, PhoneSeen(seat, True))
                self.tell(brain, SitDown(seat, adviser))

    @rule()
    def somebody_calls(self) -> None:
        self.count += 1
        visit = f"v{self.count}"
        self.waiting.add(visit)
        for brain in (0, 1):
            self.tell(brain, Join(visit, ANYONE, Instant(float(self.now))))

    @rule(brain=brains)
    def a_brain_rings(self, brain: int) -> None:
        """It accepts its oldest proposal, and rings if it still may; a telephone with a call says that it is busy."""
        if not (self.alive[brain] and self.proposed[brain]):
            return
        proposal = self.proposed[brain].pop(0)
        self.tell(brain, Accepted(proposal.seat, proposal.generation))
        if not self.engines[brain].rings(proposal.seat, proposal.generation):
            return
        if proposal.seat in self.ringing or proposal.seat in self.talking:
            self.tell(brain, NotAnswered(proposal.seat, proposal.generation, "busy"))
        else:
            self.ringing[proposal.seat] = (brain, proposal)

    @rule(brain=brains, seat=st.sampled_from(sorted(SEATS)), data=st.data())
    def a_lead_gives_a_caller_to_a_seat(self, brain: int, seat: str, data: st.DataObject) -> None:
        if self.waiting:
            visit = data.draw(st.sampled_from(sorted(self.waiting)))
            with suppress(NotPossible):  # by what this brain knows, it cannot be
                self.tell(brain, Pull(seat, visit))

    @rule(data=st.data())
    def an_adviser_answers(self, data: st.DataObject) -> None:
        """For a caller who is gone, or in the other brain's bridge already, there is nobody to talk to."""
        if not self.ringing:
            return
        seat = data.draw(st.sampled_from(sorted(self.ringing)))
        brain, proposal = self.ringing.pop(seat)
        if proposal.visit not in self.waiting or not self.alive[brain]:
            self.tell(brain, Leave(proposal.visit))
            return
        self.waiting.discard(proposal.visit)
        self.ever_taken.append(proposal.visit)
        self.talking[seat] = (brain, proposal)
        self.tell(brain, Answered(seat, proposal.generation))
        self.tell(1 - brain, Leave(proposal.visit))

    @rule(data=st.data())
    def a_conversation_ends(self, data: st.DataObject) -> None:
        if self.talking:
            seat = data.draw(st.sampled_from(sorted(self.talking)))
            brain, proposal = self.talking.pop(seat)
            self.tell(brain, ConversationOver(seat, proposal.visit, hung_up=True))

    @rule(seat=st.sampled_from(sorted(SEATS)), brain=brains)
    def an_adviser_is_ready_again(self, seat: str, brain: int) -> None:
        if self.engines[brain].seat(seat).state == "not_ready":
            self.tell(brain, SitDown(seat, SEATS[seat]))

    @rule(seconds=st.integers(1, 9))
    def time_passes(self, seconds: int) -> None:
        self.now += seconds
        for brain in (0, 1):
            self.tell(brain, Tick())

    @rule()
    def the_first_is_replaced(self) -> None:
        """Asterisk tells it so, and it ends; what rings by its wish is ended by the other."""
        self.alive[0] = False
        self.ringing = {seat: rings for seat, rings in self.ringing.items() if rings[0] == 1}

    @invariant()
    def no_caller_has_two_advisers(self) -> None:
        assert len(self.ever_taken) == len(set(self.ever_taken))

    @invariant()
    def no_telephone_has_two_calls(self) -> None:
        assert not self.ringing.keys() & self.talking.keys()

    @invariant()
    def each_brain_believes_one_call_a_seat_and_one_seat_a_call(self) -> None:
        for engine in self.engines:
            visits = [seat.visit for seat in engine.seats() if seat.visit]
            assert len(visits) == len(set(visits))

    @invariant()
    def nobody_is_forgotten(self) -> None:
        """Whoever still waits does so in the books of the brain that is left."""
        believed = {one.visit for one in self.engines[1].waiting()}
        assert self.waiting <= believed


TestTwoBrains = TwoBrains.TestCase
TestTwoBrains.settings = settings(max_examples=100, stateful_step_count=50, deadline=None)
