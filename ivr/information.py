"""What a city tells its callers by itself, as data of the line file: topics of the day, the areas whose offices
it tells, the numbers of others, other regions.

Its words are in no catalogue. They are rendered to sound when the file is read (`Speak`), so a file with words that cannot
be said is refused, and no caller waits for a voice. To add another kind, add its shape here, its field in `line.py`, its
rules in `informationrules.py`, and the service that tells it.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import msgspec

from calls.words import Language

Words = str | dict[Language, str]
"""What callers hear: in the line's own language, or in several by their tags, the line's own among them."""

Speak = Callable[[Language, str], tuple[str, str] | None]
"""Makes sure that these words can be said in that language; the reason and the mend when they cannot be."""

MOST_TOPICS = 5
"""Nobody remembers the first of more."""


def unheard(language: Language, words: str) -> None:
    """A `Speak` that lets all words pass: for whoever reads a line and says nothing of it."""


MOST_AREAS = MOST_DEPARTMENTS = MOST_REGIONS = 40
"""Five pages by key; a city has fewer."""


class Topic(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Something that many ask about these days (热点问题)."""

    name: str
    """The word for it in facts and figures."""
    title: Words
    text: Words
    until: date | None = None
    """The last day on which it is told; None: until it is removed."""

    def is_told(self, today: date) -> bool:
        """Whether callers hear of it."""
        return self.until is None or today <= self.until


class Area(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A part of the city, by which callers look for an office."""

    title: Words
    area: str
    """Its code, six digits (GB/T 2260), as the business system knows it."""


class Department(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Somebody else whom callers may need, and their number."""

    name: str
    """The word for it in facts and figures."""
    title: Words
    number: str
    """As it is dialled."""


class Region(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Another place that callers may ask about: one of a queue of this line, and a number of its own."""

    name: str
    """The word for it in facts and figures."""
    title: Words
    queue: str | None = None
    number: str | None = None
