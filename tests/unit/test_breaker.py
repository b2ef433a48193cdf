"""The circuit breaker: when it opens, whom it lets through, and what it never does."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from calls.clock import Instant
from cti.breaker import Breaker

REST_S = 10.0
FAILURES = 3


class HandClock:
    """A clock that goes when it is told to."""

    def __init__(self) -> None:
        self.at = 1000.0

    def now(self) -> Instant:
        return Instant(self.at)

    def utc(self) -> datetime:
        return datetime(2026, 11, 20, tzinfo=UTC)


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def breaker(clock: HandClock) -> Breaker:
    return Breaker(clock, FAILURES, REST_S)


def states(breaker: Breaker) -> str:
    """Its state of now; mypy would take an attribute for what it was a line before."""
    return breaker.state


def fail(breaker: Breaker, times: int) -> None:
    for _ in range(times):
        assert breaker.may_ask()
        breaker.failed()


def test_it_opens_after_failures_in_a_row_and_not_before(breaker: Breaker) -> None:
    fail(breaker, FAILURES - 1)
    assert breaker.may_ask()
    breaker.worked()
    fail(breaker, FAILURES - 1)
    assert states(breaker) == "closed"
    fail(breaker, 1)

    assert states(breaker) == "open"
    assert not breaker.may_ask()


def test_after_a_rest_one_question_tries_it(breaker: Breaker, clock: HandClock) -> None:
    fail(breaker, FAILURES)
    clock.at += REST_S - 0.1
    assert not breaker.may_ask()
    clock.at += 0.1
    assert states(breaker) == "half_open"
    assert breaker.may_ask()
    assert not breaker.may_ask()
    breaker.worked()

    assert states(breaker) == "closed"
    assert breaker.may_ask()


def test_a_trial_that_fails_is_another_rest(breaker: Breaker, clock: HandClock) -> None:
    fail(breaker, FAILURES)
    clock.at += REST_S
    fail(breaker, 1)

    assert breaker.state == "open"
    clock.at += REST_S - 0.1
    assert not breaker.may_ask()


def test_a_trial_of_which_nobody_tells_does_not_close_the_way_for_ever(breaker: Breaker, clock: HandClock) -> None:
    fail(breaker, FAILURES)
    clock.at += REST_S
    assert breaker.may_ask()  # and its caller hangs up
    clock.at += REST_S

    assert breaker.may_ask()


def test_an_answer_that_comes_late_closes_it(breaker: Breaker) -> None:
    assert breaker.may_ask()  # this one takes long
    fail(breaker, FAILURES)
    breaker.worked()

    assert breaker.state == "closed"


class Life(RuleBasedStateMachine):
    """Whatever happens: closed means fewer failures in a row than the limit; else at most one question a rest."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = HandClock()
        self.breaker = Breaker(self.clock, FAILURES, REST_S)
        self.under_way = 0
        self.in_a_row = 0
        self.let_through: list[float] = []

    @rule(seconds=st.floats(0, 3 * REST_S))
    def time_passes(self, seconds: float) -> None:
        self.clock.at += seconds

    @rule()
    def somebody_asks(self) -> None:
        closed = self.breaker.state == "closed"
        if not self.breaker.may_ask():
            assert not closed
            return
        self.under_way += 1
        if not closed:
            self.let_through.append(self.clock.at)

    @precondition(lambda self: self.under_way)
    @rule()
    def it_works(self) -> None:
        self.under_way -= 1
        self.breaker.worked()
        self.in_a_row = 0
        self.let_through.clear()
        assert self.breaker.state == "closed"

    @precondition(lambda self: self.under_way)
    @rule()
    def it_fails(self) -> None:
        self.under_way -= 1
        self.breaker.failed()
        self.in_a_row += 1

    @invariant()
    def closed_only_below_the_limit(self) -> None:
        assert (self.breaker.state == "closed") == (self.in_a_row < FAILURES)

    @invariant()
    def one_trial_a_rest(self) -> None:
        assert all(
            later - sooner >= REST_S for sooner, later in zip(self.let_through, self.let_through[1:], strict=False)
        )


TestLife = Life.TestCase
