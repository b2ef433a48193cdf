"""Numbers in a text that people wrote, put into words: 2026年, 8:30, 3.8%, 0571-87654321.

A sentence of the catalogue has slots for its numbers. What a city writes between two builds, or its business system says,
has them in figures, and the Mandarin voice (espeak-ng 1.51) swallows the head of most. Chinese alone needs this: what
reads by other rules is left to its voice.

A run of figures is read one by one when it is a telephone number or a code (five or more, or a nought first), as a
quantity before a measure word (两个, 两万), and as a plain number otherwise (二月, 二号).
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from prompts.reading.chinese import cardinal, ordinal
from prompts.reading.values import LARGEST, digits

MEASURES = "元块万亿人名位个户件条次天岁张份倍种项家周年小"
"""What a quantity stands before: 小 for 小时."""

SHORTEST_CODE = 5
"""So many figures without a measure word are no number that anybody counts."""

_NUMBER = re.compile(
    r"(?P<percent>\d+(?:\.\d+)?)[%％]"
    r"|(?P<hour>[01]?\d|2[0-4])[:：](?P<minute>[0-5]\d)(?!\d)"
    r"|(?P<date>\d{4}-\d{1,2}-\d{1,2})(?!\d)"
    r"|(?P<year>\d{4})(?=年)"
    r"|(?P<telephone>0\d{2,3}-\d{7,8}|\d{3,4}-\d{3,4}(?:-\d{3,4})?)(?!\d)"
    r"|(?P<decimal>\d+\.\d+)"
    r"|(?P<thousands>\d{1,3}(?:,\d{3})+)(?!\d)"
    r"|(?P<figures>\d+)",
    re.ASCII,
)
_UNTIL = re.compile(r"(?<=[零幺一二三四五六七八九十百千年月日号点分半])\s*[-~～—–]+\s*(?=[零幺一两二三四五六七八九十])")

Words = Mapping[str, str]
"""What a language says, by its keys in the catalogue."""


def in_words(text: str, words: Words) -> str:
    """The text with all its figures in Chinese words."""
    return _UNTIL.sub("至", _NUMBER.sub(lambda found: _READ[found.lastgroup or ""](found, words), text))


def _percent(found: re.Match[str], words: Words) -> str:
    return "百分之" + _point(found["percent"], words)


def _clock(found: re.Match[str], words: Words) -> str:
    hour, minute = int(found["hour"]), int(found["minute"])
    keys = [*cardinal(hour), "clock.hour"]
    if minute == 30:
        return _spell([*keys, "clock.half"], words)
    if minute:
        keys += ["number.0"] if minute < 10 else []
        keys += [*ordinal(minute), "clock.minute"]
    return _spell(keys, words)


def _date(found: re.Match[str], words: Words) -> str:
    year, month, day = found["date"].split("-")
    return f"{_each(year, words)}年{_whole(str(int(month)), words)}月{_whole(str(int(day)), words)}日"


def _year(found: re.Match[str], words: Words) -> str:
    return _each(found["year"], words)


def _telephone(found: re.Match[str], words: Words) -> str:
    return "，".join(_spell(digits(part), words) for part in found["telephone"].split("-"))


def _decimal(found: re.Match[str], words: Words) -> str:
    return _point(found["decimal"], words)


def _figures(found: re.Match[str], words: Words) -> str:
    before, after = found.string[: found.start()], found.string[found.end() :].lstrip()
    is_quantity = after.startswith(tuple(MEASURES)) and not before.endswith("第")
    return _whole(found[0].replace(",", ""), words, is_quantity=is_quantity)


_READ = {
    "percent": _percent,
    "minute": _clock,
    "date": _date,
    "year": _year,
    "telephone": _telephone,
    "decimal": _decimal,
    "thousands": _figures,
    "figures": _figures,
}
"""How each of the groups is read; a time of day is known by its minute, the last that was found of it."""


def _whole(figures: str, words: Words, *, is_quantity: bool = False) -> str:
    is_code = (len(figures) > 1 and figures[0] == "0") or (len(figures) >= SHORTEST_CODE and not is_quantity)
    if is_code or int(figures) > LARGEST:
        return _spell(digits(figures), words)
    return _spell(cardinal(figures) if is_quantity else ordinal(figures), words)


def _point(number: str, words: Words) -> str:
    whole, _, part = number.partition(".")
    return _whole(whole, words) + (f"点{_each(part, words)}" if part else "")


def _each(figures: str, words: Words) -> str:
    """One by one, with 一 and not 幺: a year, what follows a point."""
    return _spell([f"number.{figure}" for figure in figures], words)


def _spell(keys: list[str], words: Words) -> str:
    return "".join(words[key] for key in keys)
