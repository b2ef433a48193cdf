"""The twin beside Erlang's formulas: simulated and expected, with the interval in which chance may keep them apart.

The interval comes from batch means: calls that follow one another wait alike, so the run is cut into pieces long enough to be
independent, and the pieces' means are what varies (Law and Kelton, Simulation Modeling and Analysis, 9.5).
"""

from __future__ import annotations

import random
import statistics

import msgspec

from calls.words import Needs
from queues import Adviser, QueueRules
from queues.erlang import Expected, erlang_a, erlang_c
from queues.twin import Call, Outcome, Shift, live

HANDLING_S = 180.0
BATCHES = 20
WARM_UP = 0.05
"""Of the calls: the hall begins empty, which theory does not know."""
STUDENT_T = 3.883
"""For 19 degrees of freedom and 0.1 % of false alarms on both sides."""

PAIRS: tuple[tuple[float, int, float | None], ...] = (
    (0.7, 1, None),
    (4.0, 6, None),
    (16.0, 20, None),
    (72.0, 80, None),
    (5.5, 6, 120.0),
    (22.0, 20, 60.0),
    (90.0, 80, 180.0),
)
"""Erlangs, seats, seconds of patience (None: nobody gives up)."""


class Compared(msgspec.Struct, frozen=True):
    """Simulated, expected, and how far apart chance may keep the two."""

    calls: int
    simulated: Expected
    expected: Expected
    interval: Expected


def simulate(load: float, seats: int, patience_s: float | None, *, calls: int, seed: int) -> Compared:
    """So many calls of one queue, all memoryless, at seats that are all alike."""
    chance = random.Random(seed)
    needs = Needs({}, "general")
    arrivals, at_s = [], 0.0
    for _ in range(calls):
        at_s += chance.expovariate(load / HANDLING_S)
        patience = chance.expovariate(1 / patience_s) if patience_s else float("inf")
        arrivals.append(Call(at_s, needs, chance.expovariate(1 / HANDLING_S), patience))
    numbers = [str(1001 + index) for index in range(seats)]
    outcomes = live(
        arrivals,
        [Shift(number, number, 0.0, 2 * at_s + 1e6) for number in numbers],
        {number: Adviser(number, {}) for number in numbers},
        {"general": QueueRules(calls)},
        wrap_up_s=0.0,
    )
    means = _batches(sorted(outcomes, key=lambda outcome: outcome.call.at_s))
    return Compared(
        calls,
        Expected(*(statistics.fmean(each) for each in means)),
        erlang_a(load, seats, HANDLING_S, patience_s) if patience_s else erlang_c(load, seats, HANDLING_S),
        Expected(*(STUDENT_T * statistics.stdev(each) / BATCHES**0.5 for each in means)),
    )


def agrees(found: Compared) -> bool:
    """Whether each of the three is within its interval."""
    return all(
        abs(getattr(found.simulated, name) - getattr(found.expected, name)) <= getattr(found.interval, name)
        for name in Expected.__struct_fields__
    )


def _batches(outcomes: list[Outcome]) -> list[list[float]]:
    """The batch means of: has to wait, how long, gives up."""
    told = outcomes[int(len(outcomes) * WARM_UP) :]
    size = len(told) // BATCHES
    batches = [told[size * batch : size * (batch + 1)] for batch in range(BATCHES)]
    return [
        [statistics.fmean(outcome.waited_s > 0 for outcome in batch) for batch in batches],
        [statistics.fmean(outcome.waited_s for outcome in batch) for batch in batches],
        [statistics.fmean(outcome.how == "abandoned" for outcome in batch) for batch in batches],
    ]
