"""`rexian twin`: a forecast lived through by the engine, as a table for people."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec

from calls.errors import NotPossible
from calls.words import Language
from queues.cheapest import Target, cheapest, hours
from queues.forecast import Forecast, live_day, load_forecast, make_day
from queues.tally import Tally, by_half_hour, tally

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
ALL = {"zh-CN": "全天", "en": "all day"}


def what_if(forecast: Forecast, added: Sequence[str]) -> Forecast:
    """The forecast with more seats: each of `added` as `5@13:30-14:30`, like the first group of staff at that time.

    Raises NotPossible for what is not written so, and where nobody works to be like.
    """
    staff = [*forecast.staff]
    for text in added:
        try:
            seats, _, times = text.partition("@")
            begin, _, end = times.partition("-")
            like = next(group for group in forecast.staff if group.begin <= begin < group.end)
            staff.append(
                msgspec.convert(
                    msgspec.to_builtins(like) | {"seats": int(seats), "begin": begin, "end": end}, type(like)
                )
            )
        except StopIteration:
            raise NotPossible(f"{text}: nobody works at {begin}. Mend: add seats where the file has staff.") from None
        except (ValueError, msgspec.ValidationError):
            raise NotPossible(f"{text!r} is no addition. Mend: write it as 5@13:30-14:30.") from None
    return msgspec.structs.replace(forecast, staff=tuple(staff))


def twin(path: Path, added: Sequence[str], seed: int | None, language: Language) -> list[str]:
    """The table, line by line. Raises BadFile, NotPossible."""
    return _table(what_if(load_forecast(path), added), seed, language)


def staffing(path: Path, added: Sequence[str], seed: int | None, target: Target, language: Language) -> list[str]:
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


def _table(forecast: Forecast, seed: int | None, language: Language) -> list[str]:
    day = make_day(forecast, seed)
    outcomes = live_day(day)
    rows = [
        _row(f"{half_hour // 2:02d}:{half_hour % 2 * 30:02d}", found)
        for half_hour, found in by_half_hour(outcomes, forecast.within_s).items()
    ]
    rows.append(_row(ALL[language], tally(outcomes, forecast.within_s)))
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
