"""How a value is read out: as the keys of the pieces to play one after the other.

    values.py    what may stand in a slot; the digits, which all read alike
    chinese.py   两 and 二, 零, 万, 幺: also for Cantonese, with its own words
    english.py   British use
    uyghur.py    places in a row by their last word
    written.py   for those who read it themselves, the same in every language
    figures.py   figures in words that people wrote

A language's file says by whose rules it reads (`tongue.py`). To add a kind of reading, write its function in each
module that can have it, enter it in the module's table, and give `SAMPLES` values that use all its words. To add rules,
add a module and enter it in `READINGS`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date, time
from functools import cache

from prompts.reading.chinese import CHINESE
from prompts.reading.english import ENGLISH
from prompts.reading.figures import in_words
from prompts.reading.uyghur import UYGHUR
from prompts.reading.values import LARGEST, LARGEST_FEN, OWN, PAUSE, CannotSay, Reading, Value, in_sentences, own_words
from prompts.reading.written import as_written

__all__ = [
    "FIGURES",
    "LARGEST",
    "LARGEST_FEN",
    "OWN",
    "PAUSE",
    "READINGS",
    "TAKES",
    "CannotSay",
    "Value",
    "as_written",
    "in_sentences",
    "keys_needed",
    "own_words",
]

READINGS: Mapping[str, Mapping[str, Reading]] = {"chinese": CHINESE, "english": ENGLISH, "uyghur": UYGHUR}
"""Rules by their name, each with the kinds of slots that they can read."""

TAKES: Mapping[str, str] = {"amount": "money", "date": "a day", "month": "a day", "clock": "a time", "words": "words"}
"""What a kind reads when it is not a number: the kinds of one slot may differ between languages, what stands in it may not."""

FIGURES: Mapping[str, Callable[[str, Mapping[str, str]], str]] = {"chinese": in_words}
"""Rules by whose name the figures in a text are put into words, from the text and the language's own words; others leave them
to their voice."""

_NUMBERS = (*range(1, 102), *range(200, 1001, 100), *range(2000, 10_001, 1000), 1_000_000)

SAMPLES: Mapping[str, Iterable[Value]] = {
    "digits": ["0123456789"],
    "grouped": ["01234567890123456X"],
    "cardinal": [0, *_NUMBERS],
    "ordinal": _NUMBERS,
    "amount": [0, *range(100), *(100 * number for number in _NUMBERS), 100_05],
    "date": [date(2026, 1, number) for number in range(1, 32)],
    "month": [date(year, number, 1) for number in range(1, 13) for year in (1900, 1905, *range(2000, 2100))],
    "clock": [*(time(hour) for hour in range(24)), *(time(8, minute) for minute in range(60))],
    "words": [],
}
"""For each kind, values that together use every word that the kind may need."""


@cache
def keys_needed(rules: str) -> frozenset[str]:
    """Every key that some reading of `rules` may ask for; the catalogue must have them all."""
    return frozenset(key for kind, read in READINGS[rules].items() for value in SAMPLES[kind] for key in read(value))
