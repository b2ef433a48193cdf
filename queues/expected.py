"""How long a caller may expect to wait still: half of them less than P50, nine in ten less than P90.

Two answers, and the mean of both. **The seats'**: who is ahead and wants the same seats is served one after the other, each
seat free again after one handling time on average; the n-th departure from busy seats is gamma distributed (shape n, mean
n handling times over the seats), if handling times are exponential. **The last caller's**: how long whoever was answered
last in this queue really waited, which knows what the first answer does not, such as callers who give up (the "last to enter
service" of Ibrahim and Whitt, Manufacturing & Service Operations Management 11:3, 2009).

Unknown (None) while nobody is at work who may take the call, or too few conversations have been seen.
"""

from __future__ import annotations

from collections import deque

import msgspec

from calls.clock import Instant

SEEN_AT_LEAST = 5
"""Conversations before which nobody knows how long one takes."""

SEEN_OF_A_QUEUE, SEEN_OF_ALL = 50, 200
"""Conversations that are looked back on."""

RECENT_S = 600.0
"""What the last caller waited longer ago than this says nothing of now."""

Z90 = 1.2816
"""Nine in ten of a normal distribution are below so many standard deviations."""


class ExpectedWait(msgspec.Struct, frozen=True):
    """Seconds from now on."""

    p50_s: float
    p90_s: float


class Experience:
    """What conversations took, and what callers waited, by queue."""

    def __init__(self) -> None:
        self._all = _Mean(SEEN_OF_ALL)
        self._of: dict[str, _Mean] = {}
        self._last: dict[str, tuple[Instant, float]] = {}

    def handled(self, queue: str, seconds: float) -> None:
        """A seat was busy for so long with a caller of this queue, from the offer to ready again."""
        self._all.add(seconds)
        if queue not in self._of:
            self._of[queue] = _Mean(SEEN_OF_A_QUEUE)
        self._of[queue].add(seconds)

    def answered(self, queue: str, waited_s: float, now: Instant) -> None:
        """A caller of this queue was answered after so long."""
        self._last[queue] = (now, waited_s)

    def expected(self, queue: str, ahead: float, seats: int, waited_s: float, now: Instant) -> ExpectedWait | None:
        """For somebody who has waited for `waited_s`, with so many `ahead` who want the same `seats`."""
        handling_s = self._handling_s(queue)
        if not seats or handling_s is None:
            return None
        scale = handling_s / seats
        p50_s, p90_s = (scale * _gamma_quantile(ahead + 1, z) for z in (0.0, Z90))
        when, last_s = self._last.get(queue, (Instant(-RECENT_S), 0.0))
        if now - when < RECENT_S and last_s > waited_s:
            blended_s = (p50_s + last_s - waited_s) / 2
            p50_s, p90_s = blended_s, blended_s * p90_s / p50_s
        return ExpectedWait(p50_s, p90_s)

    def _handling_s(self, queue: str) -> float | None:
        for seen in (self._of.get(queue), self._all):
            if seen is not None and len(seen) >= SEEN_AT_LEAST:
                return seen.mean
        return None


class _Mean:
    """Of the last so many values."""

    def __init__(self, most: int) -> None:
        self._values: deque[float] = deque(maxlen=most)

    def __len__(self) -> int:
        return len(self._values)

    def add(self, value: float) -> None:
        self._values.append(value)

    @property
    def mean(self) -> float:
        return sum(self._values) / len(self._values)


def _gamma_quantile(shape: float, z: float) -> float:
    """Of the gamma distribution with scale 1, by Wilson and Hilferty's cube: within 2 % for shapes from 1 on."""
    part = 1 / (9 * shape)
    return float(shape * (1 - part + z * part**0.5) ** 3)
