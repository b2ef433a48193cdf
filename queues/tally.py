"""A day of the twin in figures, by half hour of arrival and in all: what a manager asks, of a day that never was."""

from __future__ import annotations

import math
import statistics
from collections import defaultdict
from collections.abc import Iterable, Sequence

import msgspec

from queues.twin import Outcome


class Tally(msgspec.Struct, frozen=True):
    """Of the calls that came in some time. Waits in seconds, of those who were answered; nan where there is none."""

    offered: int
    answered: int
    called_back: int
    """Reached when we called them."""
    not_reached: int
    """Called, as often as they are to be, in vain."""
    abandoned: int
    """Gave up, or asked to be called back, and were not."""
    turned_away: int
    """The queue was full, or nobody was there who could ever help."""
    within: int
    """Answered within the limit of the service level."""
    wait_mean_s: float
    wait_p90_s: float

    @property
    def connected(self) -> float:
        """The part of the calls that was answered (接通率), calls back not counted; nan where none came."""
        return self.answered / self.offered if self.offered else math.nan

    @property
    def service_level(self) -> float:
        """The part of all calls that was answered within the limit, those that gave up counted as not; nan where none came."""
        return self.within / self.offered if self.offered else math.nan


def tally(outcomes: Iterable[Outcome], within_s: float) -> Tally:
    """Of all of these."""
    told = list(outcomes)
    waits = sorted(outcome.waited_s for outcome in told if outcome.how == "answered")
    called_back, not_reached = (sum(outcome.back == back for outcome in told) for back in ("reached", "not_reached"))
    turned_away = sum(outcome.how in ("full", "no_seat") for outcome in told)
    return Tally(
        offered=len(told),
        answered=len(waits),
        called_back=called_back,
        not_reached=not_reached,
        abandoned=len(told) - len(waits) - called_back - not_reached - turned_away,
        turned_away=turned_away,
        within=sum(wait <= within_s for wait in waits),
        wait_mean_s=statistics.fmean(waits) if waits else math.nan,
        wait_p90_s=_percentile(waits, 90),
    )


def by_half_hour(outcomes: Iterable[Outcome], within_s: float) -> dict[int, Tally]:
    """The half hour of the day, from 0, in which a call came -> what became of those calls; in order."""
    found: dict[int, list[Outcome]] = defaultdict(list)
    for outcome in outcomes:
        found[int(outcome.call.at_s // 1800)].append(outcome)
    return {half_hour: tally(found[half_hour], within_s) for half_hour in sorted(found)}


def _percentile(values: Sequence[float], part: int) -> float:
    """The nearest rank; nan of nothing."""
    return values[math.ceil(part / 100 * len(values)) - 1] if values else math.nan
