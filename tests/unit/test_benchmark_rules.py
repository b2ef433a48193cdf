"""The rules that the twin is compared with do what they say, on days of a few calls."""

from __future__ import annotations

import pytest

from benchmarks.hangzhou import FORECAST, RULES, busier, by_rule, scaled, wasted
from benchmarks.rules import Rule, app_queue, first_come_first_served
from calls.words import Needs
from queues import Adviser
from queues.forecast import load_forecast, make_day
from queues.twin import Call, Outcome, Shift

CARDS, LABOUR = Needs({"cards": 1}, "cards"), Needs({"labour": 4}, "labour")
ADVISERS = {"1001": Adviser("1001", {"cards": 1}), "1002": Adviser("1002", {"cards": 1, "labour": 4})}
ONE, TWO = [Shift("1001", "1001", 0, 1000)], [Shift("1001", "1001", 0, 1000), Shift("1002", "1002", 0, 1000)]


def told(rule: Rule, calls: list[Call], shifts: list[Shift]) -> dict[float, tuple[str, float, str]]:
    outcomes = rule(calls, shifts, ADVISERS, 10.0)
    assert len(outcomes) == len(calls)
    return {outcome.call.at_s: (outcome.how, round(outcome.waited_s, 3), outcome.adviser) for outcome in outcomes}


def test_first_come_is_first_served_and_whom_nobody_can_serve_holds_nobody_up() -> None:
    calls = [Call(1, CARDS, 60, 500), Call(2, LABOUR, 60, 20), Call(3, CARDS, 60, 500), Call(4, CARDS, 60, 30)]

    assert told(first_come_first_served, calls, ONE) == {
        1: ("answered", 0, "1001"),
        2: ("abandoned", 20, ""),
        3: ("answered", 68, "1001"),  # the first took 60 s and 10 s of wrap-up
        4: ("abandoned", 30, ""),
    }


def test_app_queue_looks_once_a_second() -> None:
    calls = [Call(1, CARDS, 60.5, 500), Call(3, CARDS, 60, 500)]

    assert told(app_queue, calls, ONE)[3] == ("answered", 69, "1001")  # the seat was free after 68.5 s


def test_who_stands_behind_the_head_waits_for_it() -> None:
    calls = [Call(1, CARDS, 60, 500), Call(2, CARDS, 60, 500), Call(3, CARDS, 60, 500), Call(4, CARDS, 60, 500)]
    found = told(app_queue, calls, TWO)

    assert [found[at][0] for at in (1, 2, 3, 4)] == ["answered"] * 4
    assert found[3][1] <= found[4][1] + 1


def test_a_specialist_is_wasted_on_what_needs_none() -> None:
    outcomes = [
        Outcome(Call(1, CARDS, 60, 1), "answered", 0, "1002"),
        Outcome(Call(2, LABOUR, 60, 1), "answered", 0, "1002"),
    ]

    assert wasted(outcomes, ADVISERS) == 1


@pytest.mark.parametrize("rule", RULES)
def test_every_call_of_a_day_has_one_end_by_every_rule(rule: str) -> None:
    forecast = busier(scaled(load_forecast(FORECAST), 0.1), 900)
    day = make_day(forecast, 1)

    assert len(by_rule(rule, day, forecast)) == len(day.calls)
