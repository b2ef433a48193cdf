"""How a value is read out: as the keys of the pieces to play one after the other.

Chinese follows 吕叔湘《现代汉语八百词》: a quantity of two is 两 by itself and before 百 and 千 at the head of a
number, 二 elsewhere and in every ordinal but before a leading 千; a gap of zeros is one 零; a leading 一十 is 十.
Digits read one by one say 幺 for 1, so that it is not heard as 七. English follows British use: "one hundred and five".
To add a kind of reading, write its function and enter it in `READINGS` for the languages that have it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import time

from calls.errors import RexianError
from calls.words import Language

Value = int | str | time
Reading = Callable[[Value], list[str]]

LARGEST = 9999
"""The largest number that can be read out: no queue is longer, and 万 would be one more rule."""


class CannotSay(RexianError):
    """A value cannot be read out, or a key has no sentence."""


def digits(value: Value) -> list[str]:
    """`8001` or `"0088"` one digit after the other. Raises CannotSay when there is anything but 0 to 9 in it."""
    text = str(value)
    if not (text.isascii() and text.isdigit()):
        raise CannotSay(f"{text!r} cannot be read digit by digit. Mend: give a number of the digits 0 to 9.")
    return [f"digit.{digit}" for digit in text]


def chinese_cardinal(value: Value) -> list[str]:
    """A quantity from 0 to 9999: 两, 十二, 两百零五, 两千二百二十二."""
    number = _number(value)
    if number == 2:
        return ["number.pair"]
    keys = _chinese(number)
    if 200 <= number < 300 or 2000 <= number < 3000:
        keys[0] = "number.pair"
    return keys


def chinese_ordinal(value: Value) -> list[str]:
    """What follows 第, from 0 to 9999: 二, 二百, 两千."""
    number = _number(value)
    keys = _chinese(number)
    if 2000 <= number < 3000:
        keys[0] = "number.pair"
    return keys


def chinese_clock(value: Value) -> list[str]:
    """A time of day: 上午 八点半, 下午 两点, 晚上 七点零五分."""
    moment = _moment(value)
    periods = ((6, "before_dawn"), (12, "morning"), (13, "noon"), (18, "afternoon"), (24, "evening"))
    period = next(name for until, name in periods if moment.hour < until)
    hour = moment.hour - 12 if moment.hour > 12 else moment.hour
    keys = [f"clock.{period}", *chinese_cardinal(hour), "clock.hour"]
    if moment.minute == 30:
        return [*keys, "clock.half"]
    if moment.minute:
        zero = ["number.0"] if moment.minute < 10 else []
        return [*keys, *zero, *_chinese(moment.minute), "clock.minute"]
    return keys


def english_cardinal(value: Value) -> list[str]:
    """A quantity from 0 to 9999: two thousand one hundred and five."""
    number = _number(value)
    thousands, below = divmod(number, 1000)
    hundreds, rest = divmod(below, 100)
    keys = [f"number.{thousands}", "number.1000"] if thousands else []
    keys += [f"number.{hundreds}", "number.100"] if hundreds else []
    if keys and rest:
        keys.append("number.and")
    if rest or not keys:
        keys += _english_below_hundred(rest)
    return keys


def english_clock(value: Value) -> list[str]:
    """A time of day: eight thirty a m, two p m, seven oh five p m."""
    moment = _moment(value)
    keys = _english_below_hundred(moment.hour % 12 or 12)
    if 0 < moment.minute < 10:
        keys.append("clock.oh")
    if moment.minute:
        keys += _english_below_hundred(moment.minute)
    return [*keys, "clock.am" if moment.hour < 12 else "clock.pm"]


READINGS: Mapping[Language, Mapping[str, Reading]] = {
    "zh-CN": {"digits": digits, "cardinal": chinese_cardinal, "ordinal": chinese_ordinal, "clock": chinese_clock},
    "en": {"digits": digits, "cardinal": english_cardinal, "clock": english_clock},
}


def keys_needed(language: Language) -> set[str]:
    """Every key that some reading of `language` may ask for; the catalogue must have them all."""
    readings = READINGS[language]
    needed = set(digits("0123456789"))
    for kind in readings.keys() - {"digits", "clock"}:
        for number in (*range(102), *range(200, 1001, 100), *range(2000, LARGEST, 1000)):
            needed.update(readings[kind](number))
    for moment in (*(time(hour) for hour in range(24)), *(time(8, minute) for minute in range(60))):
        needed.update(readings["clock"](moment))
    return needed


def _chinese(number: int) -> list[str]:
    """The number with 二 for every two."""
    if number < 10:
        return [f"number.{number}"]
    keys: list[str] = []
    gap = False
    for unit in (1000, 100, 10, 1):
        digit = number // unit % 10
        if digit == 0:
            gap = bool(keys)
            continue
        if gap:
            keys.append("number.0")
            gap = False
        if not (unit == 10 and digit == 1 and not keys):
            keys.append(f"number.{digit}")
        if unit > 1:
            keys.append(f"number.{unit}")
    return keys


def _english_below_hundred(number: int) -> list[str]:
    if number < 20:
        return [f"number.{number}"]
    tens, ones = divmod(number, 10)
    return [f"number.{tens * 10}"] + ([f"number.{ones}"] if ones else [])


def _number(value: Value) -> int:
    number = int(value) if isinstance(value, str) and value.isascii() and value.isdigit() else value
    if not isinstance(number, int) or not 0 <= number <= LARGEST:
        raise CannotSay(f"{value!r} cannot be read as a number. Mend: give a whole number from 0 to {LARGEST}.")
    return number


def _moment(value: Value) -> time:
    if not isinstance(value, time):
        raise CannotSay(f"{value!r} is not a time of day. Mend: give a datetime.time.")
    return value
