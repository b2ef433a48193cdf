"""What is remembered of numbers, callers' and advisers', all of it equally long, and kept for the next controller.

places = Remembered("place/", KeptPlace, journal, clock, boot, lasts_s=600)
places.put("+8613800001111", KeptPlace(...))

A calling number proves nothing: whatever is remembered here may make a call go better, and lets nobody know anything. It
lasts by the monotonic clock, which no jump of the wall clock moves; of another boot nothing is remembered.
"""

from __future__ import annotations

from typing import Generic, TypeVar

import msgspec

from calls.clock import Clock
from cti.store import Journal

T = TypeVar("T")


class Entry(msgspec.Struct, Generic[T], frozen=True):
    """As it is kept in the journal."""

    value: T
    until_ms: int
    boot_id: str


class Remembered(Generic[T]):
    """By number, a caller's in E.164 or an adviser's, a value of the type `shape`; `lasts_s`: 0 remembers nothing."""

    def __init__(
        self, prefix: str, shape: type[T], journal: Journal, clock: Clock, boot_id: str, lasts_s: float
    ) -> None:
        self._prefix, self._journal, self._clock, self._boot_id = prefix, journal, clock, boot_id
        self._lasts_s = lasts_s
        kept = journal.find(prefix, Entry[shape])  # type: ignore[valid-type]
        by_age = sorted(kept.items(), key=lambda item: (item[1].boot_id == boot_id, item[1].until_ms))
        self._entries: dict[str, Entry[T]] = {key.removeprefix(prefix): entry for key, entry in by_age}
        """The oldest first."""
        self._forget_old()

    def __len__(self) -> int:
        return len(self._entries)

    def put(self, number: str | None, value: T) -> None:
        """Remember this of the number from now on, in place of what was; nothing of a withheld one."""
        self._forget_old()
        if number is None or not self._lasts_s:
            return
        self._entries.pop(number, None)
        entry = self._entries[number] = Entry(value, self._now_ms() + round(self._lasts_s * 1000), self._boot_id)
        self._journal.put(self._prefix + number, entry)

    def get(self, number: str | None) -> T | None:
        """What is remembered of the number."""
        self._forget_old()
        entry = self._entries.get(number or "")
        return entry.value if entry else None

    def forget(self, number: str) -> None:
        """Remember nothing of the number any more."""
        if self._entries.pop(number, None):
            self._journal.forget(self._prefix + number)

    def _forget_old(self) -> None:
        """All last equally long, so only the first ones can be too old."""
        now_ms = self._now_ms()
        while self._entries:
            number, oldest = next(iter(self._entries.items()))
            if oldest.until_ms > now_ms and oldest.boot_id == self._boot_id:
                return
            self.forget(number)

    def _now_ms(self) -> int:
        return round(self._clock.now() * 1000)
