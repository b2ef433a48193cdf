"""When a line is staffed: blocks of each weekday, China's statutory calendar, and the city's own dates.

An own date beats the calendar, and the calendar beats the week: a statutory holiday is closed, and a weekend day that
the State Council swapped into a working day is worked like a Monday. The calendar comes with the package
chinesecalendar and ends with a year, because the next one is announced in autumn; beyond it the week holds, and `alarm`
says so.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

import chinese_calendar  # type: ignore[import-untyped]  # the package carries no types
import msgspec

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEKDAYS: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

_KNOWN: Collection[date] = chinese_calendar.constants.holidays
FIRST_YEAR, LAST_YEAR = min(_KNOWN).year, max(_KNOWN).year
"""The statutory calendar is known from the one to the other."""

ALARM_AHEAD = timedelta(days=30)
"""Next year's calendar is announced by early December at the latest: a month before it is needed somebody must act."""

LOOK_AHEAD_DAYS = 366
"""A line that does not open within a year does not open."""

ZONE = "Asia/Shanghai"
"""Where a line is that says nothing else."""

_BLOCK = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-(?:([01]\d|2[0-3]):([0-5]\d)|24:00)")


WORKED_DAYS: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri")


class Hours(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Opening hours as they stand in a line file. A block is text, `08:30-12:00`: its end is no longer open."""

    weekly: dict[Weekday, tuple[str, ...]]
    """The blocks of each weekday; a weekday that is missing is closed."""
    statutory: bool = True
    """Whether China's holidays and swapped working days count."""
    dates: dict[date, tuple[str, ...] | Literal["closed"]] = {}
    """Own dates, whatever week and calendar say."""
    zone: str = ZONE

    def is_open(self, at: datetime) -> bool:
        """Whether somebody works at `at` (aware)."""
        local = at.astimezone(ZoneInfo(self.zone))
        minute = local.hour * 60 + local.minute
        return any(start <= minute < end for start, end in map(minutes, self.blocks(local.date())))

    def next_opening(self, at: datetime) -> datetime | None:
        """When the first block after `at` begins, in the hours' own zone; None when there is none within a year."""
        zone = ZoneInfo(self.zone)
        today = at.astimezone(zone).date()
        for day in (today + timedelta(days=ahead) for ahead in range(LOOK_AHEAD_DAYS)):
            for start, _ in map(minutes, self.blocks(day)):
                opening = datetime.combine(day, time(*divmod(start, 60)), zone)
                if opening > at:
                    return opening
        return None

    def blocks(self, day: date) -> tuple[str, ...]:
        """The blocks of one day, in order."""
        if (own := self.dates.get(day)) is not None:
            return () if own == "closed" else own
        weekday = WEEKDAYS[day.weekday()]
        if self.statutory and FIRST_YEAR <= day.year <= LAST_YEAR:
            rest, festival = chinese_calendar.get_holiday_detail(day)
            if festival and rest:
                return ()
            if festival:
                weekday = "mon"
        return self.weekly.get(weekday, ())

    def alarm(self, at: datetime) -> str | None:
        """What operations must know when the calendar ends within a month of `at`, or has ended."""
        if not self.statutory or (at + ALARM_AHEAD).astimezone(ZoneInfo(self.zone)).year <= LAST_YEAR:
            return None
        return (
            f"the statutory holidays are known to the end of {LAST_YEAR}, after that every weekday counts as worked."
            " Mend: update the package chinesecalendar, or write the days under `dates` in the line file."
        )


STATUTORY_DAYS = Hours(dict.fromkeys(WORKED_DAYS, ("00:00-24:00",)))
"""The working days of the State Council's calendar, as whoever counts "within three working days" counts them."""


def end_of_working_day(at: datetime, days: int) -> datetime:
    """The end of the `days`-th working day after the day of `at` (aware), in UTC."""
    zone = ZoneInfo(STATUTORY_DAYS.zone)
    day = at.astimezone(zone).date()
    while days:
        day += timedelta(days=1)
        days -= bool(STATUTORY_DAYS.blocks(day))
    return datetime.combine(day + timedelta(days=1), time(0), zone).astimezone(UTC)


def minutes(block: str) -> tuple[int, int]:
    """Start and end in minutes after midnight. Raises ValueError for what is not a block or ends before it starts."""
    match = _BLOCK.fullmatch(block)
    if not match:
        raise ValueError(f"{block!r} is not a block of time")
    start = int(match[1]) * 60 + int(match[2])
    end = int(match[3]) * 60 + int(match[4]) if match[3] else 24 * 60
    if end <= start:
        raise ValueError(f"{block!r} ends before it starts")
    return start, end
