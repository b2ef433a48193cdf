"""What a wallboard shows, made up: for tests that only pass it on, or take its figures away."""

from __future__ import annotations

import asyncio
from datetime import date, datetime, timedelta

from cti.alarms import StandingAlarm
from cti.board import Live, QueueExpected
from cti.store.figures import DaySoFar, Figures, HalfHour
from cti.trunks import TrunkNow

LIVE = Live(
    trunks=(TrunkNow("telecom", "registered", 12, 240),),
    alarms=(StandingAlarm("too_few_advisers", "12333", "the line is open, 1 advisers are signed in"),),
    away=("mqtt",),
    expected=(QueueExpected("cards", 65.0, 180.0),),
    behind=3,
    long_wait_s=180.0,
    time_zone="Asia/Shanghai",
)
"""How a hotline is that could do better."""


def day(day: date, **counted: int) -> DaySoFar:
    """A day on which nothing happened but this."""
    names = ("arrivals", "machine", "left_early", "offered", "answered", "abandoned", "in_time", "undecided")
    return DaySoFar(day=day, **{name: counted.get(name, 0) for name in names}, wait_mean_s=None)


class FakeDays:
    """Figures that are made up; or, where `trouble` says so, none. A `Source` of a board."""

    def __init__(self) -> None:
        self.asked = 0
        self.trouble: Exception | None = None
        self.silent: asyncio.Event | None = None
        """Nothing is told before it is set."""

    async def read(self, now: datetime) -> Figures:
        self.asked += 1
        if self.silent:
            await self.silent.wait()
        if self.trouble:
            raise self.trouble
        return Figures(
            at=now,
            within_s=30.0,
            today=day(now.date(), arrivals=self.asked, offered=4, answered=3, in_time=3),
            yesterday=day(now.date() - timedelta(days=1)),
            last_week=day(now.date() - timedelta(days=7)),
            service_level=0.75,
            half_hours=(HalfHour("09:30", 4, 3, 0),),
        )
