"""Queueing theory, to hold the engine and the twin to: what must come out where calls, talks and patience are memoryless.

`load` is in erlangs: calls a second times seconds a call; `seats` all serve every call, first come first served.
"""

from __future__ import annotations

import math

import msgspec


class Expected(msgspec.Struct, frozen=True):
    """Of all calls, in the long run."""

    waits: float
    """The part that finds every seat busy."""
    wait_s: float
    """The mean wait of all calls, of those that give up too."""
    abandons: float
    """The part that gives up."""


def erlang_b(load: float, seats: int) -> float:
    """The part of calls that finds every seat busy where nobody waits (Erlang 1917), by its stable recursion."""
    blocked = 1.0
    for seat in range(1, seats + 1):
        blocked = load * blocked / (seat + load * blocked)
    return blocked


def erlang_c(load: float, seats: int, handling_s: float) -> Expected:
    """M/M/c, nobody gives up (Erlang 1917). Raises ValueError when the calls are more than the seats can take."""
    if load >= seats:
        raise ValueError(f"{load:g} erlangs never end at {seats} seats")
    blocked = erlang_b(load, seats)
    waits = seats * blocked / (seats - load * (1 - blocked))
    return Expected(waits=waits, wait_s=waits * handling_s / (seats - load), abandons=0.0)


def erlang_a(load: float, seats: int, handling_s: float, patience_s: float) -> Expected:
    """M/M/c+M: whoever waits gives up after an exponential patience (Palm 1946; Garnett, Mandelbaum, Reiman 2002).

    From the stationary states of the birth-and-death chain: with n calls in the system of which at most `seats` talk, one
    ends at min(n, seats)/handling_s and one gives up at (n - seats)/patience_s.
    """
    log_p = 0.0
    weights = [log_p]
    while len(weights) <= seats or log_p > max(weights) - 60:  # the rest is less than 1e-26 of the whole
        n = len(weights)
        leaving = min(n, seats) / handling_s + max(0, n - seats) / patience_s
        log_p += math.log(load / handling_s / leaving)
        weights.append(log_p)
    top = max(weights)
    states = [math.exp(weight - top) for weight in weights]
    total = math.fsum(states)
    waiting = math.fsum((n - seats) * state for n, state in enumerate(states) if n > seats) / total
    waits = math.fsum(states[seats:]) / total
    wait_s = waiting * handling_s / load  # Little: those who wait = calls a second times the mean wait
    return Expected(waits=waits, wait_s=wait_s, abandons=wait_s / patience_s)


def within(load: float, seats: int, handling_s: float, limit_s: float) -> float:
    """The part of calls that M/M/c answers within `limit_s`: the service level."""
    expected = erlang_c(load, seats, handling_s)
    return 1 - expected.waits * math.exp(-(seats - load) * limit_s / handling_s)


def seats_for(load: float, handling_s: float, limit_s: float, part: float) -> int:
    """The fewest seats at which M/M/c answers this part of the calls within `limit_s`."""
    seats = math.floor(load) + 1
    while within(load, seats, handling_s, limit_s) < part:
        seats += 1
    return seats
