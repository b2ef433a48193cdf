"""Opening hours: around midnight, on China's swapped days and holidays, on own dates, beyond the calendar."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.hours import LAST_YEAR, LOOK_AHEAD_DAYS, Hours, minutes

SHANGHAI = ZoneInfo("Asia/Shanghai")
HALF_DAYS = ("08:30-12:00", "13:30-17:00")
OFFICE = Hours(weekly={"mon": HALF_DAYS, "tue": HALF_DAYS, "wed": HALF_DAYS, "thu": HALF_DAYS, "fri": HALF_DAYS})


def at(text: str) -> datetime:
    """A moment in Shanghai."""
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


@pytest.mark.parametrize(
    ("moment", "is_open"),
    [
        ("2026-11-23 08:29:59", False),
        ("2026-11-23 08:30", True),
        ("2026-11-23 11:59:59", True),
        ("2026-11-23 12:00", False),
        ("2026-11-23 13:30", True),
        ("2026-11-23 17:00", False),
        ("2026-11-22 10:00", False),  # a Sunday
        ("2026-02-16 10:00", False),  # Monday, New Year's Eve of the lunar year
        ("2026-02-14 10:00", True),  # Saturday, swapped for the Spring Festival
        ("2026-02-28 10:00", True),
        ("2026-02-28 12:30", False),
        ("2026-10-01 10:00", False),
        ("2026-10-10 10:00", True),  # Saturday, swapped for National Day
        ("2026-01-04 10:00", True),  # Sunday, swapped for New Year
    ],
)
def test_weeks_holidays_and_swapped_days(moment: str, is_open: bool) -> None:
    assert OFFICE.is_open(at(moment)) is is_open


def test_the_time_zone_is_the_citys_not_the_clocks() -> None:
    assert OFFICE.is_open(datetime(2026, 11, 23, 0, 30, tzinfo=UTC))
    assert not OFFICE.is_open(datetime(2026, 11, 23, 10, 0, tzinfo=UTC))


@pytest.mark.parametrize(
    ("moment", "opening"),
    [
        ("2026-11-23 07:00", "2026-11-23 08:30"),
        ("2026-11-23 12:15", "2026-11-23 13:30"),
        ("2026-11-23 17:00", "2026-11-24 08:30"),
        ("2026-11-20 23:59", "2026-11-23 08:30"),
        ("2026-11-23 00:00", "2026-11-23 08:30"),
        ("2026-02-14 18:00", "2026-02-24 08:30"),  # the whole Spring Festival
        ("2026-09-30 18:00", "2026-10-08 08:30"),
        ("2026-10-09 18:00", "2026-10-10 08:30"),
    ],
)
def test_the_next_opening_is_told_in_the_citys_time(moment: str, opening: str) -> None:
    assert OFFICE.next_opening(at(moment)) == at(opening)
    in_utc = OFFICE.next_opening(at(moment).astimezone(UTC))
    assert in_utc is not None
    assert (in_utc.hour, in_utc.minute) == (at(opening).hour, at(opening).minute)


def test_a_night_shift_goes_on_over_midnight() -> None:
    night = Hours(weekly={"mon": ("22:00-24:00",), "tue": ("00:00-06:00",)}, statutory=False)
    assert [night.is_open(at(moment)) for moment in ("2026-11-23 21:59", "2026-11-23 23:59", "2026-11-24 00:00")] == [
        False,
        True,
        True,
    ]
    assert not night.is_open(at("2026-11-24 06:00"))


def test_an_own_date_beats_calendar_and_week() -> None:
    own = Hours(
        weekly=OFFICE.weekly,
        dates={date(2026, 10, 1): ("09:00-11:00",), date(2026, 11, 23): "closed", date(2026, 10, 10): ()},
    )
    assert own.is_open(at("2026-10-01 10:00"))
    assert not own.is_open(at("2026-11-23 10:00"))
    assert not own.is_open(at("2026-10-10 10:00"))
    assert own.next_opening(at("2026-09-30 18:00")) == at("2026-10-01 09:00")


def test_a_swapped_saturday_is_worked_like_a_monday_even_where_saturdays_are_short() -> None:
    hours = Hours(weekly={**OFFICE.weekly, "sat": ("09:00-10:00",)})
    assert hours.is_open(at("2026-10-10 15:00"))
    assert not hours.is_open(at("2026-10-17 15:00"))
    assert hours.is_open(at("2026-10-17 09:30"))
    assert not hours.is_open(at("2026-10-03 09:30"))  # a Saturday in National Day


def test_without_the_statutory_calendar_only_the_week_counts() -> None:
    plain = Hours(weekly=OFFICE.weekly, statutory=False)
    assert plain.is_open(at("2026-10-01 10:00"))
    assert not plain.is_open(at("2026-10-10 10:00"))
    assert plain.alarm(at(f"{LAST_YEAR + 3}-01-01 00:00")) is None


def test_beyond_the_calendar_weekdays_hold_and_an_alarm_says_so_a_month_ahead() -> None:
    beyond = LAST_YEAR + 1
    assert OFFICE.is_open(at(f"{beyond}-10-01 10:00")) is (date(beyond, 10, 1).weekday() < 5)
    assert OFFICE.alarm(at(f"{LAST_YEAR}-11-30 00:00")) is None
    alarm = OFFICE.alarm(at(f"{LAST_YEAR}-12-03 00:00"))
    assert alarm is not None
    assert str(LAST_YEAR) in alarm
    assert "Mend: " in alarm
    assert OFFICE.alarm(at(f"{beyond}-06-01 00:00")) == alarm


def test_a_line_that_never_opens_again_says_so() -> None:
    once = Hours(weekly={}, dates={date(2026, 11, 23): ("08:30-12:00",)})
    assert once.next_opening(at("2026-11-22 12:00")) == at("2026-11-23 08:30")
    assert once.next_opening(at("2026-11-23 08:30")) is None


@pytest.mark.parametrize(
    "text", ["", "08:30", "8:30-12:00", "08:60-12:00", "24:00-24:00", "12:00-24:01", "10:00-10:00"]
)
def test_what_is_no_block_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not a block|ends before"):
        minutes(text)


@given(st.integers(0, 5 * 365 * 24 * 60 - 1))
def test_the_next_opening_is_open_and_nothing_before_it_opens(minute: int) -> None:
    moment = at("2024-01-01 00:00") + timedelta(minutes=minute)
    opening = OFFICE.next_opening(moment)
    assert opening is not None
    assert moment < opening < moment + timedelta(days=LOOK_AHEAD_DAYS)
    assert OFFICE.is_open(opening)
    assert not OFFICE.is_open(opening - timedelta(seconds=1))
    if not OFFICE.is_open(moment):
        quarters = int((opening - moment) / timedelta(minutes=15))
        assert not any(OFFICE.is_open(moment + timedelta(minutes=15 * n)) for n in range(quarters))
