"""The engine under a virtual clock agrees with queueing theory where theory knows the answer; the same calls, the same day."""

from __future__ import annotations

import pytest

from calls.words import Needs
from queues import Adviser, QueueRules
from queues.erlang import erlang_a, erlang_b, erlang_c, seats_for, within
from queues.twin import Call, CallingBack, Shift, live
from tests.theory import PAIRS, agrees, simulate

ADVISERS = {"8001": Adviser("8001", {}), "8002": Adviser("8002", {"cards": 5})}
QUEUES = {"general": QueueRules(1), "cards": QueueRules(9)}
ANYONE, CARDS = Needs({}, "general"), Needs({"cards": 3}, "cards")


def test_erlangs_formulas_give_the_values_of_the_tables() -> None:
    assert erlang_b(10, 15) == pytest.approx(0.0365, abs=5e-5)  # Erlang's table: 10 erlangs, 15 lines
    assert erlang_c(8, 10, 180).waits == pytest.approx(0.4092, abs=5e-5)
    assert erlang_c(8, 10, 180).wait_s == pytest.approx(0.4092 * 90, abs=0.01)
    assert erlang_a(8, 10, 180, 1e9).wait_s == pytest.approx(erlang_c(8, 10, 180).wait_s, rel=1e-3)
    with pytest.raises(ValueError, match="never end"):
        erlang_c(10, 10, 180)


def test_the_fewest_seats_for_a_service_level() -> None:
    seats = seats_for(8, 180, limit_s=20, part=0.8)

    assert within(8, seats, 180, 20) >= 0.8 > within(8, seats - 1, 180, 20)


@pytest.mark.parametrize("pair", PAIRS, ids=str)
def test_the_engine_agrees_with_erlang(pair: tuple[float, int, float | None]) -> None:
    found = simulate(*pair, calls=20_000, seed=1)

    assert agrees(found), found


def test_the_same_calls_have_the_same_outcomes() -> None:
    assert simulate(8, 10, 60, calls=2000, seed=3) == simulate(8, 10, 60, calls=2000, seed=3)


def test_a_day_of_three_calls() -> None:
    calls = [Call(10, ANYONE, 60, 30), Call(20, ANYONE, 60, 30), Call(25, ANYONE, 60, 30), Call(26, CARDS, 60, 30)]
    outcomes = live(calls, [Shift("1001", "8001", 0, 100)], ADVISERS, QUEUES, wrap_up_s=5)

    told = {outcome.call.at_s: (outcome.how, outcome.waited_s) for outcome in outcomes}
    assert told == {10: ("answered", 0), 20: ("abandoned", 30), 25: ("full", 0), 26: ("no_seat", 0)}


def test_whoever_asks_is_called_back_in_turn_and_at_home_or_not() -> None:
    rules = CallingBack(offer_after_s=10, again_after_s=30, answers_s=5, rings_s=20)
    calls = [
        Call(0, ANYONE, 60, 30),
        Call(1, CARDS, 50, 500, asks=True, at_home=(True,)),
        Call(2, CARDS, 50, 500),
        Call(3, CARDS, 50, 500, asks=True, at_home=(False, False)),
    ]
    outcomes = live(calls, [Shift("1002", "8002", 0, 900)], ADVISERS, QUEUES, wrap_up_s=5, calling_back=rules)

    told = {outcome.call.at_s: outcome for outcome in outcomes}
    assert [(told[at].how, told[at].back) for at in range(4)] == [
        ("answered", ""),
        ("asked", "reached"),
        ("answered", ""),
        ("asked", "not_reached"),
    ]
    assert (told[1].waited_s, told[1].back_s) == (10, 69)  # its turn at 65, and 5 s until the citizen answers
    assert told[2].waited_s == 123  # who holds the line after it waits for it: 70 + 50 + 5
    assert told[3].ringing_s == 40


def test_whoever_gives_up_is_called_when_nobody_else_waits() -> None:
    rules = CallingBack(missed_after_s=0, answers_s=5)
    calls = [Call(0, CARDS, 60, 30), Call(1, CARDS, 60, 20), Call(2, CARDS, 60, 500), Call(800, CARDS, 60, 20)]
    outcomes = live(calls, [Shift("1002", "8002", 0, 850)], ADVISERS, QUEUES, wrap_up_s=5, calling_back=rules)

    told = {outcome.call.at_s: (outcome.how, outcome.back) for outcome in outcomes}
    assert told == {0: ("answered", ""), 1: ("abandoned", "reached"), 2: ("answered", ""), 800: ("answered", "")}
    assert next(outcome.back_s for outcome in outcomes if outcome.back) == 134  # after the third: 65 + 65, and 5 s


def test_a_shift_ends_when_its_last_conversation_does() -> None:
    calls = [Call(90, ANYONE, 60, 30), Call(120, ANYONE, 60, 400)]
    shifts = [Shift("1001", "8001", 0, 100), Shift("1002", "8002", 300, 400)]
    outcomes = live(calls, shifts, ADVISERS, QUEUES, wrap_up_s=5)

    assert [(outcome.how, outcome.waited_s, outcome.adviser) for outcome in outcomes] == [
        ("answered", 0, "8001"),
        ("answered", 180, "8002"),
    ]
