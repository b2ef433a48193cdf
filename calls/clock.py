"""Two clocks, never mixed: monotonic seconds for durations and order, UTC for stamps that people read.

On Linux the monotonic clock is one for all processes since boot, so an instant that a dead controller wrote down is
still true for the next one, as long as the machine has not been restarted in between (`boot_id` tells).
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import NewType, Protocol

Instant = NewType("Instant", float)
"""Seconds on the monotonic clock. Only differences mean anything."""


class Clock(Protocol):
    """Where the time comes from; a test or the twin passes its own."""

    def now(self) -> Instant:
        """Monotonic seconds."""
        ...

    def utc(self) -> datetime:
        """The time of day, aware, in UTC."""
        ...


class SystemClock:
    """The machine's own clocks."""

    def now(self) -> Instant:
        return Instant(time.monotonic())

    def utc(self) -> datetime:
        return datetime.now(UTC)


def boot_id() -> str:
    """Names this run of the machine: instants compare only where it is the same."""
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def ms_between(start: Instant, end: Instant) -> int:
    """Whole milliseconds from `start` to `end`, never below zero."""
    return max(0, round((end - start) * 1000))
