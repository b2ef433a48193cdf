"""Admission: the limits hold whatever comes, and as many are carried as the limits allow."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from calls.clock import Instant
from cti.admission import BURST_S, FULL, TOO_FAST, TRUNK_FULL, Admission

NEVER_TOO_FAST = 1e9


def at(seconds: float) -> Instant:
    return Instant(1000 + seconds)


def test_the_hotline_is_full_until_somebody_leaves() -> None:
    admission = Admission(2, {}, NEVER_TOO_FAST)

    assert [admission.take("city", at(0)) for _ in range(3)] == [None, None, FULL]
    admission.left("city")
    assert admission.take("village", at(0)) is None
    assert admission.carried == 2


def test_one_trunk_leaves_room_for_the_others() -> None:
    admission = Admission(10, {"city": 1}, NEVER_TOO_FAST)

    assert [admission.take("city", at(0)) for _ in range(2)] == [None, TRUNK_FULL]
    assert admission.take("village", at(0)) is None


def test_calls_that_are_up_are_carried_on_above_every_limit() -> None:
    admission = Admission(1, {"city": 1}, 1)
    for _ in range(3):
        admission.keep("city")

    assert admission.carried == 3
    assert admission.take("city", at(0)) == FULL


def test_a_clump_is_let_through_and_a_crowd_is_not() -> None:
    admission = Admission(1000, {}, 5)
    clump = round(5 * BURST_S)

    assert [admission.take("city", at(0)) for _ in range(clump + 1)] == [*[None] * clump, TOO_FAST]
    assert [admission.take("city", at(1)) for _ in range(6)] == [*[None] * 5, TOO_FAST]


def test_even_a_call_a_minute_is_let_through() -> None:
    admission = Admission(10, {}, 1 / 60)

    assert admission.take("city", at(0)) is None
    assert admission.take("city", at(59)) == TOO_FAST
    assert admission.take("city", at(61)) is None


def test_who_was_asked_for_patience_is_not_sent_away_for_coming_in_a_crowd() -> None:
    admission = Admission(10, {}, 0.5)

    assert [admission.take("city", at(0), held=True) for _ in range(4)] == [None] * 4
    assert [admission.take("city", at(0)) for _ in range(2)] == [None, TOO_FAST]


def test_who_is_turned_away_costs_nobody_else_a_turn() -> None:
    admission = Admission(2, {"city": 1}, 0.5)
    assert admission.take("city", at(0)) is None
    for _ in range(5):
        assert admission.take("city", at(0)) == TRUNK_FULL

    admission.left("city")
    assert admission.take("city", at(2)) is None


@given(
    st.integers(1, 5),
    st.integers(1, 5),
    st.floats(0.1, 20),
    st.lists(st.tuples(st.sampled_from("ab"), st.floats(0, 0.5), st.booleans()), max_size=60),
)
def test_no_limit_is_ever_passed_and_none_is_claimed_that_is_not_reached(
    most: int, most_of_a: int, per_s: float, steps: list[tuple[str, float, bool]]
) -> None:
    admission = Admission(most, {"a": most_of_a}, per_s)
    now, carried, began = 0.0, Counter[str](), list[float]()
    for trunk, later, leaves in steps:
        now += later
        if leaves and carried[trunk]:
            admission.left(trunk)
            carried[trunk] -= 1
            continue
        match admission.take(trunk, at(now)):
            case None:
                carried[trunk] += 1
                began.append(now)
            case reason:
                assert {
                    FULL: carried.total() == most,
                    TRUNK_FULL: trunk == "a" and carried["a"] == most_of_a,
                    TOO_FAST: True,
                }[reason]
        assert carried.total() == admission.carried <= most
        assert carried["a"] <= most_of_a
        assert len(began) <= max(1.0, per_s * BURST_S) + per_s * (now + 1e-6)
