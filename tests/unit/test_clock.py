"""The two clocks: one for durations, one for people, and the name of this run of the machine."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from calls.clock import Clock, Instant, SystemClock, boot_id, ms_between


@pytest.mark.parametrize(
    ("start", "end", "ms"), [(1.0, 2.5, 1500), (1.0, 1.0, 0), (2.0, 1.0, 0), (0.0, 0.0006, 1), (0.0, 0.0004, 0)]
)
def test_durations_are_whole_milliseconds_and_never_negative(start: float, end: float, ms: int) -> None:
    assert ms_between(Instant(start), Instant(end)) == ms


def test_the_machines_clocks() -> None:
    clock: Clock = SystemClock()

    assert clock.now() <= clock.now()
    assert clock.utc().utcoffset() == timedelta(0)


def test_a_run_of_the_machine_has_one_name() -> None:
    assert re.fullmatch(r"[0-9a-f-]{36}", boot_id())
    assert boot_id() == boot_id()
