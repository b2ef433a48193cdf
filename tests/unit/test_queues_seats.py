"""The table of seat states: each of its moves, each that it lacks, and its picture."""

from __future__ import annotations

from itertools import product
from typing import get_args

import pytest

from calls.clock import Instant
from calls.errors import IllegalMove
from calls.facts import SeatState
from queues.diagram import PAGE, seat_states
from queues.seats import BUSY, MOVES, Seat

STATES: tuple[SeatState, ...] = get_args(SeatState)
LEGAL = [(before, after) for before in STATES for after in MOVES[before]]
ILLEGAL = [pair for pair in product(STATES, STATES) if pair not in LEGAL]

# Written out a second time, so that a slip in the table is seen.
EXPECTED = {
    "logged_out": "ready not_ready talking",
    "not_ready": "ready reserved not_ready logged_out talking",
    "ready": "reserved ready not_ready logged_out talking",
    "reserved": "ringing ready wrap_up not_ready talking",
    "ringing": "calling talking ready wrap_up not_ready",
    "calling": "talking wrap_up not_ready",
    "talking": "holding wrap_up not_ready",
    "holding": "talking wrap_up not_ready",
    "wrap_up": "wrap_up reserved ready not_ready logged_out",
}


def seat_in(state: SeatState) -> Seat:
    seat = Seat("1001")
    seat.state, seat.adviser, seat.visit, seat.afterwards = state, "8001", "v1", "lunch"
    return seat


def test_every_state_has_its_row() -> None:
    assert {before: set(after) for before, after in MOVES.items()} == {
        before: set(after.split()) for before, after in EXPECTED.items()
    }
    assert set(MOVES) == set(STATES)


@pytest.mark.parametrize(("before", "after"), LEGAL)
def test_a_legal_move_is_made(before: SeatState, after: SeatState) -> None:
    seat = seat_in(before)
    seat.move(after, "why", Instant(7), Instant(9))

    assert (seat.state, seat.reason, seat.since, seat.until) == (after, "why", Instant(7), Instant(9))
    assert (seat.visit is None) == (after not in BUSY)
    assert (seat.adviser is None) == (after == "logged_out")
    # What was wished for during a call holds through its wrap-up, and not a state longer.
    assert (seat.afterwards is None) == (after not in BUSY | {"wrap_up"})


@pytest.mark.parametrize(("before", "after"), ILLEGAL)
def test_an_illegal_move_is_refused_in_words_and_changes_nothing(before: SeatState, after: SeatState) -> None:
    seat = seat_in(before)
    with pytest.raises(IllegalMove) as refused:
        seat.move(after, "why", Instant(7))

    assert str(refused.value) == f"seat 1001 cannot go from {before} to {after} (why)"
    assert (seat.state, seat.adviser, seat.visit, seat.afterwards) == (before, "8001", "v1", "lunch")


def test_the_picture_is_the_table() -> None:
    page = seat_states()

    assert all(f"{before} --> {after}: {why}" in page for before in MOVES for after, why in MOVES[before].items())
    assert page.count("-->") == len(LEGAL) + 1
    assert PAGE.read_text(encoding="utf-8") == page, "docs/seat-states.md is stale: run python -m queues.diagram"
