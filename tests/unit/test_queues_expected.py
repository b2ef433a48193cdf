"""The expected wait: right as often as it says, unknown when it is, and by what the seats and the last callers tell."""

from __future__ import annotations

import random
import statistics

import pytest

from calls.clock import Instant
from calls.words import Needs
from queues import (
    Accepted,
    Adviser,
    Answered,
    ConversationOver,
    Engine,
    Join,
    NotAnswered,
    PhoneSeen,
    QueueRules,
    SitDown,
    Tick,
)
from queues.expected import SEEN_AT_LEAST, Experience
from queues.twin import Call, Outcome, Shift, live

HANDLING_S = 180.0
NOW = Instant(10_000.0)


def waits(load: float, seats: int, patience_s: float, *, seed: int = 1, calls: int = 5000) -> list[Outcome]:
    """Those who waited and were answered, of a queue as Erlang A has it."""
    chance = random.Random(seed)
    arrivals, at_s = [], 0.0
    for _ in range(calls):
        at_s += chance.expovariate(load / HANDLING_S)
        handling, patience = chance.expovariate(1 / HANDLING_S), chance.expovariate(1 / patience_s)
        arrivals.append(Call(at_s, Needs({}, "general"), handling, patience))
    numbers = [str(1001 + index) for index in range(seats)]
    outcomes = live(
        arrivals,
        [Shift(number, number, 0.0, 2 * at_s + 1e6) for number in numbers],
        {number: Adviser(number, {}) for number in numbers},
        {"general": QueueRules(10_000)},
        wrap_up_s=0.001,
        ask_expected=True,
    )
    return [outcome for outcome in outcomes if outcome.how == "answered" and outcome.expected]


@pytest.mark.parametrize(("load", "seats", "patience_s"), [(5.5, 6, 120.0), (22.0, 20, 300.0), (28.0, 20, 200.0)])
def test_half_wait_less_than_p50_and_nine_in_ten_less_than_p90(load: float, seats: int, patience_s: float) -> None:
    found = waits(load, seats, patience_s)
    expected = [(outcome.waited_s, outcome.expected) for outcome in found if outcome.expected]
    below_p50 = statistics.mean(waited_s <= each.p50_s for waited_s, each in expected)
    below_p90 = statistics.mean(waited_s <= each.p90_s for waited_s, each in expected)

    assert len(expected) > 1000
    assert 0.45 < below_p50 < 0.65
    assert 0.8 < below_p90 < 0.95


def seen(handling_s: float = HANDLING_S, conversations: int = SEEN_AT_LEAST) -> Experience:
    experience = Experience()
    for _ in range(conversations):
        experience.handled("general", handling_s)
    return experience


def test_nobody_knows_without_seats_or_before_enough_was_seen() -> None:
    assert seen(conversations=SEEN_AT_LEAST - 1).expected("general", 0, 1, 0.0, NOW) is None
    assert seen().expected("general", 0, 0, 0.0, NOW) is None


def test_a_queue_that_is_new_takes_what_all_take() -> None:
    experience = seen()
    assert experience.expected("pension", 0, 1, 0.0, NOW) == experience.expected("general", 0, 1, 0.0, NOW)


def test_the_next_of_one_seat_waits_as_an_exponential_does() -> None:
    expected = seen().expected("general", 0, 1, 0.0, NOW)
    assert expected
    assert expected.p50_s == pytest.approx(HANDLING_S * 0.693, rel=0.02)
    assert expected.p90_s == pytest.approx(HANDLING_S * 2.303, rel=0.02)


def test_more_seats_shorten_it_and_more_callers_lengthen_it() -> None:
    def p50_s(ahead: int, seats: int) -> float:
        expected = seen().expected("general", ahead, seats, 0.0, NOW)
        assert expected
        return expected.p50_s

    assert p50_s(5, 10) < p50_s(5, 5) < p50_s(9, 5)


def test_what_the_last_caller_really_waited_counts_half_while_it_is_recent() -> None:
    experience = seen()
    plain = experience.expected("general", 0, 1, 0.0, NOW)
    experience.answered("general", 600.0, NOW)
    blended = experience.expected("general", 0, 1, 0.0, NOW)
    assert plain
    assert blended
    assert blended.p50_s == pytest.approx((plain.p50_s + 600) / 2)
    assert experience.expected("general", 0, 1, 700.0, NOW) == plain  # it has been longer than that already
    assert experience.expected("general", 0, 1, 0.0, Instant(NOW + 601)) == plain


def test_the_engine_counts_only_seats_at_work_and_callers_who_want_the_same() -> None:
    advisers = {"8001": Adviser("8001", {"cards": 1}), "8002": Adviser("8002", {"pension": 1})}
    engine = Engine(("1001", "1002"), advisers, {"cards": QueueRules(9), "pension": QueueRules(9)}, wrap_up_s=10)
    cards, pension = Needs({"cards": 1}, "cards"), Needs({"pension": 1}, "pension")
    for seat, adviser in (("1001", "8001"), ("1002", "8002")):
        engine.take(PhoneSeen(seat, reachable=True), Instant(0.0))
        engine.take(SitDown(seat, adviser), Instant(0.0))
    for call in range(SEEN_AT_LEAST):
        _is_served(engine, f"c{call}", cards, Instant(100.0 * call))
    now = Instant(100.0 * SEEN_AT_LEAST)
    for visit, needs in (("p1", pension), ("p2", pension), ("c1", cards), ("c2", cards), ("c3", cards)):
        engine.take(Join(visit, needs, now), now)

    assert engine.expected("c1", now) is None  # a seat is offered already
    third = engine.expected("c3", now)
    assert third
    assert third.p50_s == pytest.approx(100 * 1.68, rel=0.02)  # the second from one seat: pension's are not ahead
    engine.take(NotAnswered("1001", engine.seat("1001").generation, "no_answer"), now)
    assert engine.expected("c3", now) is None  # nobody is at work who may take it


def _is_served(engine: Engine, visit: str, needs: Needs, at: Instant) -> None:
    """By seat 1001, which is busy with it for 100 s, wrap-up included."""
    engine.take(Join(visit, needs, at), at)
    generation = engine.seat("1001").generation
    engine.take(Accepted("1001", generation), at)
    engine.take(Answered("1001", generation), at)
    engine.take(ConversationOver("1001", visit, hung_up=True), Instant(at + 90))
    engine.take(Tick(), Instant(at + 100))
