"""Values in Chinese: Mandarin, and every language that builds its numbers as Mandarin does.

吕叔湘《现代汉语八百词》 is followed: a quantity of two is 两 by itself and before 百, 千 and 万 at the head of a number,
二 elsewhere (两万二千, 二十二万) and in every ordinal but before a leading 千 or 万; a gap of zeros is one 零, also
across 万, where zeros at the end of the upper part leave no gap (二十万三千); a leading 一十 is 十.

An amount is one number with three measures, so its two is 两 at the head only: 两元二角, 一百元零二分. No amount says
角 or 分 that are nought. Years are read digit by digit, with 一 and not the 幺 of other digits.
"""

from __future__ import annotations

from collections.abc import Collection

from prompts.reading.values import Value, day, digits, grouped, moment, money, own_words, period, whole

PAIR_IN_ORDINALS = frozenset({"number.1000", "number.10000"})
PAIR = PAIR_IN_ORDINALS | {"number.100"}
"""What makes a leading two 两 when it follows it."""

PAIR_IN_MONEY = PAIR | {"amount.yuan", "amount.jiao", "amount.fen"}


def cardinal(value: Value) -> list[str]:
    """A quantity, also before a measure word: 两, 十二, 两百零五, 两万二千, 十万零五十."""
    number = whole(value)
    return ["number.pair"] if number == 2 else _paired(_keys(number), PAIR)


def ordinal(value: Value) -> list[str]:
    """What follows 第: 二, 二百, 两千."""
    return _paired(_keys(whole(value)), PAIR_IN_ORDINALS)


def amount(value: Value) -> list[str]:
    """Money, from fen: 一千二百三十四元五角六分, 一百元零五分, 零元."""
    yuan, jiao, fen = money(value)
    keys: list[str] = []
    if yuan or not (jiao or fen):
        keys += [*_keys(yuan), "amount.yuan"]
    if jiao:
        keys += [f"number.{jiao}", "amount.jiao"]
    if fen:
        keys += ["number.0"] if yuan and not jiao else []
        keys += [f"number.{fen}", "amount.fen"]
    return _paired(keys, PAIR_IN_MONEY)


def month(value: Value) -> list[str]:
    """A month: 二零二六年 十一月."""
    at = day(value)
    return [*(f"number.{digit}" for digit in str(at.year)), "date.year", f"month.{at.month}"]


def date(value: Value) -> list[str]:
    """A day: 二零二六年 十一月 二十八日."""
    return [*month(value), *_keys(day(value).day), "date.day"]


def clock(value: Value) -> list[str]:
    """A time of day: 上午 八点半, 下午 两点, 晚上 七点零五分."""
    at = moment(value)
    hour = at.hour - 12 if at.hour > 12 else at.hour
    keys = [period(at), *cardinal(hour), "clock.hour"]
    if at.minute == 30:
        return [*keys, "clock.half"]
    if at.minute:
        zero = ["number.0"] if at.minute < 10 else []
        return [*keys, *zero, *_keys(at.minute), "clock.minute"]
    return keys


CHINESE = {
    "digits": digits,
    "grouped": grouped,
    "cardinal": cardinal,
    "ordinal": ordinal,
    "amount": amount,
    "date": date,
    "month": month,
    "clock": clock,
    "words": own_words,
}


def _paired(keys: list[str], before: Collection[str]) -> list[str]:
    """两 for a two at the head that one of these follows."""
    return ["number.pair", *keys[1:]] if keys[0] == "number.2" and keys[1:2] and keys[1] in before else keys


def _keys(number: int) -> list[str]:
    """The number with 二 for every two."""
    myriads, rest = divmod(number, 10_000)
    if not myriads:
        return _below_myriad(rest, ["number.0"])
    keys = [*_below_myriad(myriads, []), "number.10000"]
    gap = ["number.0"] if 0 < rest < 1000 else []
    return [*keys, *gap, *_below_myriad(rest, [], head=False)]


def _below_myriad(number: int, nought: list[str], *, head: bool = True) -> list[str]:
    """At the head of a number, 一十 is 十."""
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
        if not (unit == 10 and digit == 1 and head and not keys):
            keys.append(f"number.{digit}")
        if unit > 1:
            keys.append(f"number.{unit}")
    return keys or nought
