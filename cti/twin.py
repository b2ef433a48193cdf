"""`rexian twin`: a forecast, or a day that was, lived through by the engine, as a table for people."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import msgspec

from calls.errors import NotPossible
from calls.words import ScreenLanguage
from cti.hotline import load_hotline
from cti.recorded import read_day
from cti.settings import Settings
from queues.cheapest import Target, cheapest, hours
from queues.forecast import Day, Forecast, live_day, load_forecast, make_day, seconds
from queues.recorded import recorded_day
from queues.tally import Tally, by_half_hour, tally
from queues.twin import Shift

HEAD = {
    "zh-CN": ("半小时", "来电", "接通", "回拨接通", "回拨未通", "放弃", "拒绝", "接通率", "及时率", "平均等待", "P90"),
    "en": (
        "half hour",
        "offered",
        "answered",
        "called back",
        "not reached",
        "abandoned",
        "turned away",
        "connected",
        "in time",
        "mean wait",
        "P90",
    ),
}
STAFF_HEAD = {
    "zh-CN": ("开始", "结束", "原来", "需要", "技能"),
    "en": ("begin", "end", "planned", "needed", "skills"),
}
HOURS = {"zh-CN": "工时", "en": "hours"}
REALLY = {"zh-CN": "实际", "en": "really"}
WITHIN_S = 30.0
"""The service level of a recorded day: the ministry's class 1."""
ALL = {"zh-CN": "全天", "en": "all day"}


def what_if(forecast: Forecast, added: Sequence[str]) -> Forecast:
    """The forecast with more seats: each of `added` as `5@13:30-14:30`, like the first group of staff at that time.

    Raises NotPossible for what is not written so, and where nobody works to be like.
    """
    staff = [*forecast.staff]
    for text in added:
        seats, begin, end = _addition(text)
        try:
            like = next(group for group in forecast.staff if group.begin <= begin < group.end)
            staff.append(
                msgspec.convert(msgspec.to_builtins(like) | {"seats": seats, "begin": begin, "end": end}, type(like))
            )
        except StopIteration:
            raise NotPossible(f"{text}: nobody works at {begin}. Mend: add seats where the file has staff.") from None
    return msgspec.structs.replace(forecast, staff=tuple(staff))


def twin(path: Path, added: Sequence[str], seed: int | None, language: ScreenLanguage) -> list[str]:
    """The table, line by line. Raises BadFile, NotPossible."""
    return _table(what_if(load_forecast(path), added), seed, language)


def staffing(path: Path, added: Sequence[str], seed: int | None, target: Target, language: ScreenLanguage) -> list[str]:
    """The cheapest staffing that meets the target, a line a group, and its day. Raises BadFile, NotPossible."""
    planned = what_if(load_forecast(path), added)
    needed = cheapest(planned, target, seed)
    rows = [
        (
            was.begin,
            was.end,
            str(was.seats),
            str(now.seats),
            ", ".join(f"{skill} {level}" for skill, level in was.skills.items()),
        )
        for was, now in zip(planned.staff, needed.staff, strict=True)
    ]
    rows.append((HOURS[language], "", f"{hours(planned):.1f}", f"{hours(needed):.1f}", ""))
    lines = [f"{_line(row[:4])}   {row[4]}".rstrip() for row in (STAFF_HEAD[language], *rows)]
    return [*lines, "", *_table(needed, seed, language)]


async def again(settings: Settings, day: date, added: Sequence[str], seed: int, language: ScreenLanguage) -> list[str]:
    """A day of this hotline, with the files of today, and what it really was below. Raises BadFile, NotPossible."""
    hotline = load_hotline(settings)
    visits, spells = await read_day(settings, day)
    recorded = recorded_day(visits, spells, hotline.advisers, hotline.queues, settings.wrap_up_s, seed)
    for text in added:
        recorded = _with_more(recorded, text)
    really = sum(visit.talked_s is not None for visit in visits)
    lines = _lived(recorded, WITHIN_S, language)
    return [*lines, _line((REALLY[language], str(len(visits)), str(really)))]


def _with_more(day: Day, text: str) -> Day:
    """More seats, as `5@13:30-14:30`, like the adviser who is first in the list of those at work then. Raises NotPossible."""
    seats, begin, end = _addition(text)
    like = next((shift for shift in day.shifts if shift.begin_s <= seconds(begin) < shift.end_s), None)
    if like is None:
        raise NotPossible(f"{text}: nobody was at work at {begin}. Mend: add seats to a time that had some.")
    advisers, shifts = dict(day.advisers), [*day.shifts]
    for number in range(seats):
        name = f"{text}/{number}"
        advisers[name] = msgspec.structs.replace(day.advisers[like.adviser], number=name)
        shifts.append(Shift(name, name, seconds(begin), seconds(end)))
    return day._replace(shifts=shifts, advisers=advisers)


def _addition(text: str) -> tuple[int, str, str]:
    """`5@13:30-14:30` in its parts. Raises NotPossible."""
    if not (found := re.fullmatch(r"([1-9][0-9]{0,3})@([0-2][0-9]:[03]0)-([0-2][0-9]:[03]0)", text)):
        raise NotPossible(f"{text!r} is no addition. Mend: write it as 5@13:30-14:30.")
    return int(found[1]), found[2], found[3]


def _table(forecast: Forecast, seed: int | None, language: ScreenLanguage) -> list[str]:
    return _lived(make_day(forecast, seed), forecast.within_s, language)


def _lived(day: Day, within_s: float, language: ScreenLanguage) -> list[str]:
    outcomes = live_day(day)
    rows = [
        _row(f"{half_hour // 2:02d}:{half_hour % 2 * 30:02d}", found)
        for half_hour, found in by_half_hour(outcomes, within_s).items()
    ]
    rows.append(_row(ALL[language], tally(outcomes, within_s)))
    return [_line(row) for row in (HEAD[language], *rows)]


def _row(name: str, found: Tally) -> tuple[str, ...]:
    return (
        name,
        *map(
            str,
            (found.offered, found.answered, found.called_back, found.not_reached, found.abandoned, found.turned_away),
        ),
        f"{100 * found.connected:.1f} %",
        f"{100 * found.service_level:.1f} %",
        f"{found.wait_mean_s:.1f} s",
        f"{found.wait_p90_s:.1f} s",
    )


def _line(cells: Sequence[str]) -> str:
    """Each cell to the right, a Chinese sign two columns wide."""
    return "".join(" " * max(1, 12 - sum(1 + (sign > "\u2e80") for sign in cell)) + cell for cell in cells)
