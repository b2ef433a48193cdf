"""The cheapest staffing that meets a target: the same calls lived through again and again, with ever fewer advisers.

First all groups of the plan are scaled by one factor, to the least with which the target is met. Then each group is cut to the
fewest seats with which it is still met, the dearest (by hours) first, until none can be cut any more. So no seat of the answer
can be spared; that no other mix of groups would be cheaper is not proven. More advisers are taken never to do harm.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from calls.errors import NotPossible
from queues.forecast import Forecast, Staff, live_day, make_day, seconds
from queues.tally import Tally, tally

MOST_FACTOR = 64
"""A plan that falls short with so many times its advisers lacks something else."""

Meets = Callable[[Forecast], bool]


class Target(msgspec.Struct, frozen=True):
    """What must be met over the whole day; parts of 1, None: no matter."""

    connected: float | None = None
    """The part of the calls that is answered (接通率)."""
    in_time: float | None = None
    """The part of the calls that is answered within the forecast's `within_s`."""

    def met_by(self, found: Tally) -> bool:
        """Both."""
        connected = self.connected is None or found.connected >= self.connected
        return connected and (self.in_time is None or found.service_level >= self.in_time)


def cheapest(forecast: Forecast, target: Target, seed: int | None = None) -> Forecast:
    """The forecast with that staffing. Raises NotPossible when no number of such advisers meets the target."""

    def meets(candidate: Forecast) -> bool:
        return target.met_by(tally(live_day(make_day(candidate, seed)), candidate.within_s))

    return _cut(_scaled_down(forecast, meets), meets)


def hours(forecast: Forecast) -> float:
    """Adviser hours of the plan."""
    return sum(map(_hours, forecast.staff))


def _hours(group: Staff) -> float:
    return group.seats * (seconds(group.end) - seconds(group.begin)) / 3600


def _scaled_down(forecast: Forecast, meets: Meets) -> Forecast:
    """With the least factor over the whole plan, as fine as its largest group."""
    low, high = 0.0, 1.0
    while not meets(_scaled(forecast, high)):
        low, high = high, 2 * high
        if high > MOST_FACTOR:
            raise NotPossible(
                f"not even {MOST_FACTOR} times these advisers meet the target: some calls are for skills, languages or "
                "times that no group of the plan has. Mend: add a group that has them."
            )
    finest = 1 / max(group.seats for group in forecast.staff)
    while high - low > finest:
        middle = (low + high) / 2
        low, high = (low, middle) if meets(_scaled(forecast, middle)) else (middle, high)
    return _scaled(forecast, high)


def _scaled(forecast: Forecast, factor: float) -> Forecast:
    staff = tuple(msgspec.structs.replace(group, seats=max(1, round(group.seats * factor))) for group in forecast.staff)
    return msgspec.structs.replace(forecast, staff=staff)


def _cut(forecast: Forecast, meets: Meets) -> Forecast:
    """Group by group, until no group can be cut."""
    while True:
        before = forecast
        dearest_first = sorted(range(len(forecast.staff)), key=lambda index: -_hours(forecast.staff[index]))
        for index in dearest_first:
            forecast = _fewest(forecast, index, meets)
        if forecast == before:
            return forecast


def _fewest(forecast: Forecast, index: int, meets: Meets) -> Forecast:
    """With the fewest seats in this group. One less is tried first: mostly there is nothing to cut."""
    low, high, step = 0, forecast.staff[index].seats, 1
    while high > low + 1:
        fewer = max(low + 1, high - step)
        if meets(_with(forecast, index, fewer)):
            high, step = fewer, 2 * step
        else:
            low, step = fewer, max(1, (high - fewer) // 2)
    return _with(forecast, index, high)


def _with(forecast: Forecast, index: int, seats: int) -> Forecast:
    staff = [*forecast.staff]
    staff[index] = msgspec.structs.replace(staff[index], seats=seats)
    return msgspec.structs.replace(forecast, staff=tuple(staff))
