"""Numbers that call too often: at most so many calls in so many minutes from one calling number are let through.

The default is far above what people do, however anxious they are (`REDIALS` in cti/settings.py): it is for machines that dial.
A number behind which many people are (a company's switchboard, a payphone) may be exempted all the same. A withheld number
is nobody's, and never limited. What was let through is kept with the journal, so a new controller counts on.
"""

from __future__ import annotations

from collections.abc import Iterable

from calls.clock import Clock
from calls.numbers import normalise
from cti.remembered import Remembered
from cti.store import Journal


class Redials:
    """The calls of the last minutes, by calling number (E.164)."""

    def __init__(
        self,
        journal: Journal,
        clock: Clock,
        boot_id: str,
        *,
        most: int,
        within_s: float,
        exempt: Iterable[str],
        region: str,
    ) -> None:
        """At most `most` calls within `within_s` seconds, 0: any number; `exempt` numbers as people write them in `region`."""
        self._clock, self._most, self._within_ms = clock, most, round(within_s * 1000)
        self._exempt = {normalise(number, region).e164 for number in exempt}
        self._let_through = Remembered("redial/", tuple[int, ...], journal, clock, boot_id, within_s)
        """When, monotonic milliseconds, the oldest first; never more than `most` of them."""

    def exempts(self, number: str) -> bool:
        """Whether many people are behind this number."""
        return number in self._exempt

    def too_many(self, number: str | None) -> bool:
        """Whether this number has had all its calls for now."""
        return self._limits(number) and len(self._recent(number)) >= self._most

    def count(self, number: str | None) -> None:
        """A call of this number is let through."""
        if self._limits(number):
            now_ms = round(self._clock.now() * 1000)
            self._let_through.put(number, (*self._recent(number), now_ms)[-self._most :])

    def _limits(self, number: str | None) -> bool:
        return bool(self._most) and number is not None and number not in self._exempt

    def _recent(self, number: str | None) -> tuple[int, ...]:
        since_ms = round(self._clock.now() * 1000) - self._within_ms
        return tuple(at_ms for at_ms in self._let_through.get(number) or () if at_ms > since_ms)
