"""Whether a call that arrives is carried: most calls at once, of all trunks and of each, and how many a second.

A hotline that takes more than it can carry serves nobody well: prompts stutter and talking callers suffer. So above these
limits a caller is told so and owed a call back, which is cheap, and above `Settings.max_channels` Asterisk itself
answers 503 (dialplan/). The rate is a token bucket: it lets a burst of `BURST_S` seconds' worth through at once.

Pure: the time is passed in. To add a limit, give it a reason and a place in `take`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from calls.clock import Instant

BURST_S = 2.0
"""Calls come in clumps: an announcement on the radio, a carrier's own queue that is let go. So long a clump is no crowd."""

FULL = "too many calls at once"
TRUNK_FULL = "too many calls at once from this trunk"
TOO_FAST = "too many calls in one second"


class Admission:
    """The calls that are carried, counted."""

    def __init__(self, most: int, most_of: Mapping[str, int], per_s: float) -> None:
        """`most` calls at once, of these trunks at most so many, and at most `per_s` new ones a second."""
        self._most, self._most_of, self._per_s = most, most_of, per_s
        self._burst = max(1.0, per_s * BURST_S)
        self._tokens = self._burst
        self._looked = Instant(0.0)
        self._carried: Counter[str] = Counter()

    @property
    def carried(self) -> int:
        """Calls that are carried now."""
        return self._carried.total()

    def carried_of(self, trunk: str) -> int:
        """Those of one trunk."""
        return self._carried[trunk]

    def take(self, trunk: str, now: Instant, *, held: bool = False) -> str | None:
        """A call arrives: None when it is carried from here on, else the reason why not.

        A `held` one waited for a controller and was asked for patience: it has had its share of waiting, and the rate
        does not count against it.
        """
        if self.carried >= self._most:
            return FULL
        if self._carried[trunk] >= self._most_of.get(trunk, self._most):
            return TRUNK_FULL
        if not held and not self._token(now):
            return TOO_FAST
        self.keep(trunk)
        return None

    def has_room(self, trunk: str, now: Instant) -> bool:
        """Whether a clump of calls from this trunk would be carried, or most of it."""
        self._refill(now)
        mine = self._carried[trunk] < self._most_of.get(trunk, self._most)
        return self.carried < self._most and mine and self._tokens >= self._burst / 2

    def keep(self, trunk: str) -> None:
        """A call that is up already is carried on, whatever the limits."""
        self._carried[trunk] += 1

    def left(self, trunk: str) -> None:
        """A carried call is over."""
        self._carried[trunk] -= 1

    def _refill(self, now: Instant) -> None:
        self._tokens = min(self._burst, self._tokens + (now - self._looked) * self._per_s)
        self._looked = now

    def _token(self, now: Instant) -> bool:
        self._refill(now)
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True
