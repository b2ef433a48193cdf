"""What users of other call distributors curse, one test each. In many random days; the engine's laws, over any history, are in
`test_queues_properties.py`.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import suppress

import pytest

from calls.clock import Instant
from calls.errors import NotPossible
from calls.words import Needs, Relax
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
    Output,
    PhoneSeen,
    Propose,
    QueueRules,
    SitDown,
    StandUp,
    Tick,
)
from queues.policy import Waiting

ADVISERS = {
    "8001": Adviser("8001", {"cards": 3, "labour": 3}),
    "8002": Adviser("8002", {"cards": 5}),
    "8003": Adviser("8003", {"labour": 5}),
    "8004": Adviser("8004", {"cards": 1}, languages=("en",)),
}
SEATS = ("1001", "1002", "1003", "1004")
QUEUES = {
    "cards": QueueRules(50, (Relax(after_s=20, levels=2),)),
    "labour": QueueRules(50, (Relax(after_s=30, levels=1),)),
}
NEEDS = (
    Needs({"cards": 3}, "cards"),
    Needs({"cards": 1}, "cards", language="en"),
    Needs({"labour": 4}, "labour"),
    Needs({"labour": 1}, "labour", urgency="urgent"),
)
STEPS = 600
SEEDS = range(5)


class Day:
    """A day of calls, keys and mishaps, drawn by a seed. After each step it says what the engine decided."""

    def __init__(self, seed: int) -> None:
        self.engine = Engine(SEATS, ADVISERS, QUEUES, wrap_up_s=5.0)
        self.now = Instant(0.0)
        self.since: dict[str, float] = {}
        self._chance = random.Random(seed)

    def steps(self) -> Iterator[list[Output]]:
        for seat, adviser in zip(SEATS, ADVISERS, strict=True):
            self._take(PhoneSeen(seat, True))
            yield self._take(SitDown(seat, adviser))
        for number in range(STEPS):
            self.now = Instant(self.now + self._chance.expovariate(0.5))
            yield self._take(self._something(number))

    def _take(self, event: Input) -> list[Output]:
        with suppress(NotPossible):
            return self.engine.take(event, self.now)
        return []

    def _something(self, number: int) -> Input:
        chance, seat = self._chance, self.engine.seat(self._chance.choice(SEATS))
        if chance.random() < 0.2:
            visit, away = f"v{number}", chance.random() < 0.2
            since = self.now - (chance.uniform(0, 200) if away else 0.0)
            self.since[visit] = since
            return Join(visit, chance.choice(NEEDS), Instant(since), away=away)
        match seat.state:
            case "reserved":
                return Accepted(seat.number, seat.generation)
            case "ringing" if chance.random() < 0.8:
                return Answered(seat.number, seat.generation)
            case "ringing":
                return NotAnswered(seat.number, seat.generation, "no_answer")
            case "talking":
                return ConversationOver(seat.number, seat.visit or "", hung_up=True)
        others: list[Input] = [
            Tick(),
            PhoneSeen(seat.number, not seat.reachable or chance.random() < 0.7),
            StandUp(seat.number, "break") if seat.state == "ready" else Tick(),
            *[SitDown(seat.number, seat.adviser or "")] * 3,
            *[Leave(one.visit) for one in self.engine.waiting()[:1]],
        ]
        return chance.choice(others)

    def may_take(self, adviser: str, needs: Needs, since: float) -> bool:
        """Counted by hand: what is asked less what the wait has relaxed, and the language."""
        who = ADVISERS[adviser]
        lower = sum(step.levels for step in QUEUES[needs.queue].relax if since + step.after_s <= self.now)
        skilled = all(who.skills.get(skill, 0) >= max(1, level - lower) for skill, level in needs.skills.items())
        return skilled and needs.language in (None, *who.languages)


def turn(one: Waiting) -> float:
    """Counted by hand: whoever is urgent came a quarter of an hour earlier."""
    return one.since - (900.0 if one.needs.urgency == "urgent" else 0.0)


days = pytest.mark.parametrize("seed", SEEDS)


@days
def test_no_adviser_is_idle_while_a_caller_waits_whom_they_may_take(seed: int) -> None:
    day = Day(seed)
    waited = 0
    for _ in day.steps():
        rung_for = {seat.visit for seat in day.engine.seats()}
        idle = [seat.adviser or "" for seat in day.engine.seats() if seat.state == "ready"]
        for one in day.engine.waiting():
            if one.visit not in rung_for:
                waited += 1
                assert not any(day.may_take(adviser, one.needs, one.since) for adviser in idle)
    assert waited > STEPS / 10, "a day in which nobody waits proves nothing"


@days
def test_no_ghost_seat_is_ever_offered_a_caller(seed: int) -> None:
    """One where nobody sits, or whose telephone is dead, or that has another caller."""
    day = Day(seed)
    offered = 0
    for outputs in day.steps():
        for output in outputs:
            if isinstance(output, Propose):
                offered += 1
                seat = day.engine.seat(output.seat)
                assert seat.reachable
                assert seat.adviser == output.adviser
                assert seat.state == "reserved"
                assert [each.visit for each in day.engine.seats()].count(output.visit) == 1
    assert offered > STEPS / 10


@days
def test_no_place_is_lost_and_none_gets_worse_but_by_an_earlier_turn(seed: int) -> None:
    """Who comes before you came before you, or is more urgent; whoever waits on keeps the order."""
    day = Day(seed)
    before: list[str] = []
    for _ in day.steps():
        waiting = day.engine.waiting()
        assert all(one.since == day.since[one.visit] for one in waiting)
        assert [turn(one) for one in waiting] == sorted(map(turn, waiting))
        now = [one.visit for one in waiting]
        stayed = [visit for visit in before if visit in now]
        assert [visit for visit in now if visit in before] == stayed
        before = now


@days
def test_no_call_back_jumps_the_line(seed: int) -> None:
    """It has the place of its first wait: who came before it is served before it, where the seat may take both."""
    day = Day(seed)
    backs = 0
    for outputs in day.steps():
        waiting = {one.visit: one for one in day.engine.waiting()}
        rung_for = {seat.visit for seat in day.engine.seats()}
        for output in outputs:
            if isinstance(output, Propose) and waiting[output.visit].away:
                backs += 1
                mine = waiting[output.visit]
                earlier = [one for one in waiting.values() if turn(one) < turn(mine) and one.visit not in rung_for]
                assert not [one for one in earlier if day.may_take(output.adviser, one.needs, one.since)]
    assert backs


@days
def test_no_caller_reaches_an_adviser_without_the_skill_or_the_language(seed: int) -> None:
    day = Day(seed)
    for outputs in day.steps():
        needs = {one.visit: one.needs for one in day.engine.waiting()}
        for output in outputs:
            if isinstance(output, Propose):
                assert day.may_take(output.adviser, needs[output.visit], day.since[output.visit])


@days
def test_no_expected_wait_is_given_while_nobody_can_know(seed: int) -> None:
    """Nobody at work may take the call: nothing is said. Otherwise half wait less than what nine in ten wait less than."""
    day = Day(seed)
    known = 0
    for _ in day.steps():
        at_work = [seat.adviser or "" for seat in day.engine.seats() if seat.state not in ("logged_out", "not_ready")]
        for one in day.engine.waiting():
            expected = day.engine.expected(one.visit, day.now)
            if not any(day.may_take(adviser, one.needs, one.since) for adviser in at_work):
                assert expected is None
            elif expected is not None:
                known += 1
                assert 0 < expected.p50_s <= expected.p90_s
    assert known
