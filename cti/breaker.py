"""When a system is away, nobody waits for it: after some failures in a row it is left alone for a while, then tried by one.

    closed ──failures in a row──> open ──rest_s later──> half_open ──the trial worked──> closed
                                    ^                        └──the trial failed──> open
    Half open, one question is let through; should nobody tell what became of it, another one is after `rest_s`.

An answer that comes late counts as any other: a system that answers is there.
"""

from __future__ import annotations

from typing import Literal

from calls.clock import Clock, Instant

State = Literal["closed", "open", "half_open"]

FAILURES = 5
"""In a row. One alone may be chance, or one citizen's account."""
REST_S = 10.0
"""Long enough for a restart, short enough for a caller's next try."""


class Breaker:
    """Counts what becomes of the questions to one system. Times are in seconds."""

    def __init__(self, clock: Clock, failures: int = FAILURES, rest_s: float = REST_S) -> None:
        self._clock, self._limit, self._rest_s = clock, failures, rest_s
        self._failures = 0
        self._resting_since: Instant | None = None
        """Since it was opened or last tried; None: closed."""
        self._trying = False

    @property
    def state(self) -> State:
        """`closed`: it works; `open`: it is left alone; `half_open`: it is being tried, or the next one tries it."""
        if self._resting_since is None:
            return "closed"
        return "half_open" if self._trying or self._rested(self._resting_since) else "open"

    def may_ask(self) -> bool:
        """Whether to ask now. Whoever is told yes tells what came of it, by `worked` or `failed`."""
        if self._resting_since is None:
            return True
        if not self._rested(self._resting_since):
            return False
        self._trying = True
        self._resting_since = self._clock.now()
        return True

    def worked(self) -> None:
        """It answered, be it with a no."""
        self._failures, self._resting_since, self._trying = 0, None, False

    def failed(self) -> None:
        """It did not answer, or not with sense."""
        self._failures += 1
        if self._trying or (self._resting_since is None and self._failures >= self._limit):
            self._resting_since = self._clock.now()
            self._trying = False

    def _rested(self, since: Instant) -> bool:
        return self._clock.now() - since >= self._rest_s
