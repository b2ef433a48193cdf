"""Values in Uyghur, where the number stands before what it counts and a place in a row is its last word: ئون بىر, ئون بىرىنچى.

Days and years are places in a row: "of the two thousand twenty-sixth year, the eleventh month, the twenty-eighth day". The
language has endings that follow the sound of the number before them; a sentence avoids them, a slot has none.
"""

from __future__ import annotations

from prompts.reading.values import Value, day, digits, grouped, moment, money, own_words, period, whole


def cardinal(value: Value) -> list[str]:
    """A quantity: بىر مىڭ ئىككى يۈز ئوتتۇز تۆت."""
    return _keys(whole(value))


def ordinal(value: Value) -> list[str]:
    """A place in a row, from the first on: يىگىرمە ئىككىنچى."""
    *keys, last = _keys(whole(value, least=1))
    return [*keys, last.replace("number.", "ordinal.")]


def amount(value: Value) -> list[str]:
    """Money, from fen: ئىككى يۈەن بەش مو ئالتە پۇڭ. What is nought is not said."""
    keys: list[str] = []
    for number, measure in zip(money(value), ("yuan", "jiao", "fen"), strict=True):
        if number:
            keys += [*_keys(number), f"amount.{measure}"]
    return keys or ["number.0", "amount.yuan"]


def month(value: Value) -> list[str]:
    """A month: ئىككى مىڭ يىگىرمە ئالتىنچى يىلى ئون بىرىنچى ئاي."""
    at = day(value)
    return [*ordinal(at.year), "date.year", f"month.{at.month}"]


def date(value: Value) -> list[str]:
    """A day: ئىككى مىڭ يىگىرمە ئالتىنچى يىلى ئون بىرىنچى ئاينىڭ يىگىرمە سەككىزىنچى كۈنى."""
    at = day(value)
    return [*ordinal(at.year), "date.year", *ordinal(at.month), "date.month", *ordinal(at.day), "date.day"]


def clock(value: Value) -> list[str]:
    """A time of day: the part of the day, سائەت سەككىز يېرىم; the catalogue says that it is Beijing's."""
    at = moment(value)
    keys = [period(at), "clock.hour", *_keys(at.hour - 12 if at.hour > 12 else at.hour)]
    if at.minute == 30:
        return [*keys, "clock.half"]
    return [*keys, *_keys(at.minute), "clock.minute"] if at.minute else keys


UYGHUR = {
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


def _keys(number: int) -> list[str]:
    keys: list[str] = []
    for unit in (1_000_000, 1000, 1):
        if group := number // unit % 1000:
            keys += [*_below_thousand(group), *([f"number.{unit}"] if unit > 1 else [])]
    return keys or ["number.0"]


def _below_thousand(number: int) -> list[str]:
    hundreds, rest = divmod(number, 100)
    tens, ones = divmod(rest, 10)
    keys = [f"number.{hundreds}", "number.100"] if hundreds else []
    keys += [f"number.{tens * 10}"] if tens else []
    return [*keys, f"number.{ones}"] if ones else keys
