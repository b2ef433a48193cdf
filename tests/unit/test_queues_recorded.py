"""A day that was, lived through again: the same calls, what was never seen drawn by a seed, and the same answer each time."""

from __future__ import annotations

import math
import random

import pytest

from calls.errors import NotPossible
from calls.words import Needs
from queues import Adviser, QueueRules
from queues.forecast import live_day
from queues.recorded import Spell, Visit, joined, mean_patience_s, recorded_day
from queues.tally import tally

ANYONE = Needs({}, "general")
ADVISERS = {"8001": Adviser("8001", {}), "8002": Adviser("8002", {})}
QUEUES = {"general": QueueRules(999)}
SPELLS = [Spell("8001", 0, 36_000), Spell("8002", 0, 36_000), Spell("8009", 0, 36_000)]


def a_day(seed: int, calls: int) -> list[Visit]:
    """Half of the callers gave up after ten seconds or more."""
    chance = random.Random(seed)
    visits = []
    for number in range(calls):
        answered = chance.random() < 0.5
        waited_s = chance.uniform(0, 20) if answered else chance.uniform(10, 60)
        visits.append(
            Visit(number * 60.0, ANYONE, waited_s, chance.uniform(30, 90) if answered else None, not answered)
        )
    return visits


def test_the_same_calls_come_again_and_each_has_one_end() -> None:
    visits = a_day(1, 500)
    day = recorded_day(visits, SPELLS, ADVISERS, QUEUES, 10, seed=1)
    outcomes = live_day(day)

    assert [call.at_s for call in day.calls] == [visit.at_s for visit in visits]
    assert {shift.adviser for shift in day.shifts} == {"8001", "8002"}  # 8009 is in the file no more
    assert len(outcomes) == 500
    assert live_day(recorded_day(visits, SPELLS, ADVISERS, QUEUES, 10, seed=1)) == outcomes
    assert recorded_day(visits, SPELLS, ADVISERS, QUEUES, 10, seed=2) != day


def test_what_was_seen_is_kept_and_the_rest_is_at_least_that() -> None:
    visits = a_day(2, 200)
    for visit, call in zip(visits, recorded_day(visits, SPELLS, ADVISERS, QUEUES, 10, 1).calls, strict=True):
        if visit.talked_s is None:
            assert call.patience_s == visit.waited_s
        else:
            assert call.handling_s == visit.talked_s
            assert call.patience_s >= visit.waited_s


def test_patience_is_as_long_as_it_was_most_likely() -> None:
    chance = random.Random(3)
    seen = []
    for _ in range(20_000):
        patience_s, served_s = chance.expovariate(1 / 120), chance.expovariate(1 / 60)
        gave_up = patience_s < served_s
        seen.append(Visit(0, ANYONE, min(patience_s, served_s), None if gave_up else 100.0, gave_up))

    assert mean_patience_s(seen) == pytest.approx(120, rel=0.05)


def test_where_nobody_gave_up_nobody_does_again() -> None:
    visits = [Visit(60.0 * number, ANYONE, 5, 50, gave_up=False) for number in range(50)]
    assert math.isinf(mean_patience_s(visits))
    outcomes = live_day(recorded_day(visits, [Spell("8001", 0, 36_000)], ADVISERS, QUEUES, 600, 1))
    assert tally(outcomes, 30).answered == 50


@pytest.mark.parametrize(("visits", "spells"), [([], SPELLS), (a_day(1, 9), []), (a_day(1, 9), SPELLS[2:])])
def test_a_day_without_talks_or_without_advisers_cannot_be_lived_again(
    visits: list[Visit], spells: list[Spell]
) -> None:
    with pytest.raises(NotPossible, match="nobody was answered, or none of its advisers"):
        recorded_day(visits, spells, ADVISERS, QUEUES, 10, 1)


def test_what_an_adviser_did_without_a_gap_is_one_shift() -> None:
    spells = [
        Spell("8001", 0, 10),
        Spell("8001", 10, 20),
        Spell("8001", 15, 18),
        Spell("8001", 25, 30),
        Spell("8001", 28, 28),
        Spell("8002", 5, 40),
    ]
    assert joined(reversed(spells)) == [Spell("8001", 0, 20), Spell("8001", 25, 30), Spell("8002", 5, 40)]


def test_advisers_who_changed_places_in_the_middle_of_a_call_work_on() -> None:
    """In the twin the talk of one shift may last into the next one."""
    spells = joined([Spell("8001", 0, 100), Spell("8001", 101, 400), Spell("8002", 101, 400)])
    visits = [Visit(99, ANYONE, 0, 250, gave_up=False), Visit(110, ANYONE, 5, 20, gave_up=False)]
    outcomes = live_day(recorded_day(visits, spells, ADVISERS, QUEUES, 10, 1))

    assert [outcome.how for outcome in outcomes] == ["answered", "answered"]
