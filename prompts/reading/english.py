"""Values in English, as they are said in Britain: "one hundred and five", "the twenty-eighth of November".

Money is read as it is printed: "one thousand two hundred and thirty-four point five six yuan", always with both places.
Who asks in English compares it with 1,234.56 on a slip or a screen, and may never have heard of jiao and fen; of a
hundredth read as a digit nothing can be misunderstood, not even "point zero five".
"""

from __future__ import annotations

from prompts.reading.values import Value, day, digits, grouped, moment, money, own_words, whole


def cardinal(value: Value) -> list[str]:
    """A quantity: two million one thousand and five."""
    return _keys(whole(value))


def ordinal(value: Value) -> list[str]:
    """A place in a row, from the first on: one hundred and twenty second."""
    *keys, last = _keys(whole(value, least=1))
    return [*keys, last.replace("number.", "ordinal.")]


def amount(value: Value) -> list[str]:
    """Money, from fen: twelve point five zero yuan, one hundred yuan."""
    yuan, jiao, fen = money(value)
    places = ["number.point", f"digit.{jiao}", f"digit.{fen}"] if jiao or fen else []
    return [*_keys(yuan), *places, "amount.yuan"]


def month(value: Value) -> list[str]:
    """A month: November twenty twenty six."""
    at = day(value)
    return [f"month.{at.month}", *_year(at.year)]


def date(value: Value) -> list[str]:
    """A day: the twenty eighth of November twenty twenty six."""
    return ["date.the", *ordinal(day(value).day), "date.of", *month(value)]


def clock(value: Value) -> list[str]:
    """A time of day: eight thirty a m, two p m, seven oh five p m."""
    at = moment(value)
    keys = _below_hundred(at.hour % 12 or 12)
    if 0 < at.minute < 10:
        keys.append("clock.oh")
    if at.minute:
        keys += _below_hundred(at.minute)
    return [*keys, "clock.am" if at.hour < 12 else "clock.pm"]


ENGLISH = {
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


def _year(year: int) -> list[str]:
    """By its halves: nineteen eighty, nineteen oh five, twenty twenty six; but two thousand and five."""
    century, rest = divmod(year, 100)
    if century % 10 == 0 and rest < 10:
        return _keys(year)
    if not rest:
        return [*_below_hundred(century), "number.100"]
    return [*_below_hundred(century), *(["clock.oh"] if rest < 10 else []), *_below_hundred(rest)]


def _keys(number: int) -> list[str]:
    keys: list[str] = []
    for unit in (1_000_000, 1000):
        if group := number // unit % 1000:
            keys += [*_below_thousand(group), f"number.{unit}"]
    rest = number % 1000
    if keys and 0 < rest < 100:
        return [*keys, "number.and", *_below_hundred(rest)]
    return [*keys, *_below_thousand(rest)] if rest or not keys else keys


def _below_thousand(number: int) -> list[str]:
    hundreds, rest = divmod(number, 100)
    if not hundreds:
        return _below_hundred(rest)
    keys = [f"number.{hundreds}", "number.100"]
    return [*keys, "number.and", *_below_hundred(rest)] if rest else keys


def _below_hundred(number: int) -> list[str]:
    if number < 20:
        return [f"number.{number}"]
    tens, ones = divmod(number, 10)
    return [f"number.{tens * 10}"] + ([f"number.{ones}"] if ones else [])
