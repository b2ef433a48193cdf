"""What can be read out, and the readings that every language shares: digits one by one, and in groups.

Whoever says a sentence passes plain values; here they are checked, once for all languages, and what cannot be said is
refused with its mend.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import date, time
from hashlib import sha256

from calls.errors import RexianError

Value = int | str | time | date
Reading = Callable[[Value], list[str]]

LARGEST = 99_999_999
"""The largest number that can be read out: 亿 would be one more rule, and no citizen's figure needs it."""

LARGEST_FEN = 999_999_999
"""The largest amount, 9,999,999.99 yuan: no citizen's account holds more."""

PAUSE = "pause"
"""The key of the short silence between two groups of digits."""

OWN = "own."
"""How the key of a text begins that is in no catalogue; see `prompts/ownwords.py`."""

LONGEST_SENTENCE = 80
"""Characters."""

_SENTENCE_ENDS = re.compile(r"(?<=[。！？；!?;])|(?<=\.)\s|\n")
_CLAUSE_ENDS = re.compile(r"(?<=[，：,:])(?!\d)")

_IDENTITY = re.compile(r"\d{17}[\dXx]", re.ASCII)
_FIRST_YEAR = 1000
"""Years have four digits."""


class CannotSay(RexianError):
    """A value cannot be read out, or a key has no sentence."""


def digits(value: Value) -> list[str]:
    """`8001` or `"0088"` one digit after the other. Raises CannotSay when there is anything but 0 to 9 in it."""
    text = str(value)
    if not (text.isascii() and text.isdigit()):
        raise CannotSay(f"{text!r} cannot be read digit by digit. Mend: give a number of the digits 0 to 9.")
    return [f"digit.{digit}" for digit in text]


def grouped(value: Value) -> list[str]:
    """The digits of a card, a telephone or an identity number, with a short pause where people would make one.

    An identity number may end in X. Raises CannotSay when there is anything else but 0 to 9 in it."""
    text = str(value)
    if not (_IDENTITY.fullmatch(text) or (text.isascii() and text.isdigit())):
        raise CannotSay(f"{text!r} cannot be read in groups. Mend: give digits; only an 18-digit number may end in X.")
    keys: list[str] = []
    start = 0
    for length in _groups(text):
        keys += [PAUSE] if keys else []
        keys += [f"digit.{digit.lower()}" for digit in text[start : start + length]]
        start += length
    return keys


def own_words(value: Value) -> list[str]:
    """Words that were rendered ahead: a piece a sentence, named after it. Raises CannotSay for what is not words."""
    if not isinstance(value, str):
        raise CannotSay(f"{value!r} is no text. Mend: give the words that were rendered.")
    return [f"{OWN}{sha256(sentence.encode()).hexdigest()}" for sentence in in_sentences(value)]


def in_sentences(words: str) -> list[str]:
    """What is rendered in one go. A long one is parted at its commas, too: minutes of sound in one piece are much work."""
    sentences: list[str] = []
    for sentence in _SENTENCE_ENDS.split(words):
        sentences += [sentence] if len(sentence) <= LONGEST_SENTENCE else _CLAUSE_ENDS.split(sentence)
    return [one.strip() for one in sentences if any(letter.isalnum() for letter in one)]


def _groups(text: str) -> Iterator[int]:
    """How many digits are said in one breath, group by group."""
    left = len(text)
    if left == 18:  # identity (GB 11643): where somebody was first registered, the birthday, the rest
        head = [6, 8]
    elif left == 11 and text[0] == "1":  # a mobile telephone
        head = [3]
    elif 10 <= left <= 12 and text[0] == "0":  # a fixed one: the area code, then its own seven or eight digits
        area = 3 if text[1] in "12" else 4
        head = [area, left - area - 4]
    else:
        head = []
    yield from head
    left -= sum(head)
    while left > 5:
        yield 4
        left -= 4
    if left:  # five at most: one digit by itself would sound like a slip
        yield left


def whole(value: Value, least: int = 0) -> int:
    """A whole number, or one written in digits. Raises CannotSay."""
    number = int(value) if isinstance(value, str) and value.isascii() and value.isdigit() else value
    if not isinstance(number, int) or not least <= number <= LARGEST:
        raise CannotSay(f"{value!r} cannot be read as a number. Mend: give a whole number from {least} to {LARGEST}.")
    return number


def money(value: Value) -> tuple[int, int, int]:
    """Yuan, jiao and fen (元, 角, 分) of an amount in fen. Raises CannotSay: text might be meant in yuan."""
    if not isinstance(value, int) or not 0 <= value <= LARGEST_FEN:
        raise CannotSay(f"{value!r} cannot be read as money. Mend: give whole fen (分) from 0 to {LARGEST_FEN}.")
    return value // 100, value // 10 % 10, value % 10


def day(value: Value) -> date:
    """A date, its year of four digits. Raises CannotSay."""
    if not isinstance(value, date) or value.year < _FIRST_YEAR:
        raise CannotSay(
            f"{value!r} cannot be read as a date. Mend: give a datetime.date from the year {_FIRST_YEAR} on."
        )
    return value


def moment(value: Value) -> time:
    """A time of day. Raises CannotSay."""
    if not isinstance(value, time):
        raise CannotSay(f"{value!r} is not a time of day. Mend: give a datetime.time.")
    return value


def period(at: time) -> str:
    """The key of the part of the day, where that is said."""
    periods = ((6, "before_dawn"), (12, "morning"), (13, "noon"), (18, "afternoon"), (24, "evening"))
    return "clock." + next(name for until, name in periods if at.hour < until)
