"""A line: what a hotline number says and offers, as data that a city's editors change.

This is the shape of a line file; docs/lines.md tells editors what may stand in it. To add a key, add a field here, its
rule in `rules.py` if it has one, a wrong example to the test table, and a row to the document.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

import msgspec

from calls.words import FIRST_LANGUAGE, Keeps, Language, Needs, Relax
from ivr.hours import ZONE, Hours
from ivr.information import Area, Department, Region, Topic, Words

PERSON, AGAIN, BACK = "0", "*", "#"
EVERYWHERE = {PERSON: "a person", AGAIN: "once more", BACK: "one menu back"}
"""The keys that mean the same in every menu, and that no menu may take."""

CHOICE_KEYS = tuple("123456789")

SkillLevel = Annotated[int, msgspec.Meta(ge=1, le=5)]


class Notice(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The legal notice. Whoever changes its words raises its version: it is the evidence of what was heard."""

    prompt: str
    version: str


class Offered(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Another language that a caller may choose."""

    language: Language
    advisers: bool = True
    """The adviser must speak it, too; False: it is for the machine's words only."""


class Choice(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a key of a menu leads to: one of a queue, a menu, an announcement or a service (and the menu again), a person."""

    name: str
    """The word for it in facts and figures; keys may move, names stay."""
    queue: str | None = None
    menu: str | None = None
    say: str | None = None
    service: str | None = None
    person: Literal[True] | None = None


class Menu(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A question and its keys."""

    prompt: str | None = None
    """The sentence of the catalogue that asks it; or, in its place, `words`."""
    choices: dict[str, Choice] = {}
    words: Words | None = None


class Overflow(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where a caller goes whom a queue has no room for, whom nobody present can help, or who has waited too long there."""

    to: str | None = None
    """Another queue, with the wait so far."""
    callback: Literal[True] | None = None
    """Is told that we will call back."""
    message: Literal[True] | None = None
    """May leave a voice message."""
    after_s: Annotated[float, msgspec.Meta(ge=1, le=3600)] | None = None
    """So long a wait is too long; None: no wait is."""


class Queue(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where callers wait for an adviser who has these skills, each at least at its level (1 to 5)."""

    skills: dict[str, SkillLevel]
    max_waiting: Annotated[int, msgspec.Meta(ge=1, le=10_000)]
    """Whoever comes when this many wait is told so, not kept."""
    urgency: Literal["normal", "urgent", "crisis"] = "normal"
    """A head start before the other queues' callers."""
    site: str | None = None
    """The site whose advisers take these calls, until `relax` lets others."""
    relax: tuple[Relax, ...] = ()
    """What is asked for no longer when the wait is long."""
    keeps: Keeps | None = None
    """What must hold of this queue's last callers, or its site's advisers take no calls that are other sites'."""
    hours: Hours | None = None
    """When somebody works for this queue, within the hours of the line; None: whenever the line is open."""
    overflow: Overflow | None = None
    """None: who cannot wait is told so, and who waits, waits."""


class Callback(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How waiting callers are called back who would rather not wait: their place waits on for them."""

    offer_after_s: Annotated[float, msgspec.Meta(ge=0, le=600)] = 45.0
    """Offered to whoever has waited so long."""
    offer_at_expected_s: Annotated[float, msgspec.Meta(ge=0, le=3600)] = 180.0
    """Offered at once to whoever may expect to wait so long still."""
    attempts: Annotated[int, msgspec.Meta(ge=1, le=9)] = 3
    """How often we call before the promise is broken."""
    again_after_s: Annotated[float, msgspec.Meta(ge=1, le=86_400)] = 600.0
    """From an attempt that reached nobody to the next one."""
    ring_s: Annotated[float, msgspec.Meta(ge=5, le=120)] = 40.0
    """Many are old, and need time to come to the telephone."""
    keep_h: Annotated[float, msgspec.Meta(gt=0, le=168)] = 24.0
    """Later than this it would be no use, and is given up."""
    hours: Hours | None = None
    """When we call; None: whenever the line is open, but at night only who asked within the hour."""
    missed_after_s: Annotated[float, msgspec.Meta(ge=0, le=3600)] | None = None
    """Whoever gave up after waiting so long or longer is called back, too, in the gaps; None: nobody who gave up."""


class Message(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How voice messages are taken."""

    within_days: Annotated[int, msgspec.Meta(ge=1, le=30)] = 3
    """Working days until it is answered, as the caller is told; Hangzhou's rule is three."""
    most_s: Annotated[float, msgspec.Meta(ge=10, le=600)] = 180.0
    """The longest message."""
    quiet_s: Annotated[float, msgspec.Meta(ge=2, le=30)] = 6.0
    """Whoever says nothing for so long has finished: many are old, and search for words."""


class Second(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A question to whoever has given points; its keys, and the word for each in facts and figures."""

    prompt: str
    choices: dict[str, str]


class Rating(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is asked at the end beside the five grades."""

    second: Second | None = None
    """None: nothing."""
    complain_at: Annotated[int, msgspec.Meta(ge=0, le=5)] = 0
    """Whoever gives so few points or fewer may leave a complaint at once; 0: is not asked."""
    machine: bool = False
    """Whoever was served by the machine and is about to go is asked for the points, too."""


class Document(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A document that callers may have by fax."""

    name: str
    """The word for it in facts and figures."""
    file: str
    """A PNG or TIFF, relative to the line file; absolute once loaded."""
    title: str
    """What it is called to the caller."""


class Line(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One number that citizens dial."""

    number: str
    version: str
    """As declared; once loaded, + a mark of the file's content, so that no two contents share a version."""
    name: str
    welcome: str
    notice: Notice
    menu: str | None = None
    """The first menu; None: straight to a person (GB/T 33358 advises against menus)."""
    menus: dict[str, Menu] = {}
    queues: dict[str, Queue]
    person: str
    """The queue behind 0, and for whoever the keys do not work."""
    language: Language = FIRST_LANGUAGE
    languages: dict[str, Offered] = {}
    """The keys of other languages, offered after the notice, which is then given once more in the one that was chosen."""
    trunks: Literal["any"] | tuple[str, ...] = "any"
    """The trunks that may bring calls for it."""
    hours: Literal["always"] | Hours = "always"
    closed: str = "queue.closed"
    """Said outside the hours, before the next opening."""
    night: str | None = None
    """The menu outside the hours, from which nobody is reached: who asks for a person may leave a message. None: goodbye."""
    message: Message = Message()
    complaint: Message = Message(within_days=2)
    """How complaints and suggestions are taken; Chengdu's rule is two working days."""
    rating: Rating = Rating()
    faxes: dict[str, Document] = {}
    """The documents of the service `fax_documents`, by the key for each."""
    callback: Callback | None = None
    """None: nobody is called back, and nobody is offered it."""
    topics: tuple[Topic, ...] = ()
    """What the service `hot_topics` tells, the most asked about first."""
    areas: tuple[Area, ...] = ()
    """Whose offices the service `offices` tells, in the order of their keys."""
    departments: tuple[Department, ...] = ()
    """Whose numbers the service `departments` tells, in the order of their keys."""
    regions: tuple[Region, ...] = ()
    """What the service `regions` leads to, in the order of their keys."""
    tries: Annotated[int, msgspec.Meta(ge=1, le=9)] = 3
    """Wrong or missing keys in one menu before a person takes over."""
    key_wait_s: Annotated[float, msgspec.Meta(ge=2, le=30)] = 8.0
    """Seconds after a menu: many callers are old, and take the phone from the ear to find the keys first."""
    slow_waits: Annotated[float, msgspec.Meta(ge=1, le=4)] = 1.5
    """So many times as long, for whoever has asked for slow speech."""

    def is_open(self, at: datetime) -> bool:
        """Whether somebody works for this line at `at` (aware)."""
        return self.hours == "always" or self.hours.is_open(at)

    def staffed(self, queue: str) -> Literal["always"] | Hours:
        """When somebody works for that queue of an open line."""
        return self.queues[queue].hours or self.hours

    def crisis(self, at: datetime) -> str | None:
        """The queue for a life in danger that a key leads to, where somebody works for it at `at` (aware); None: none."""
        led = (choice.queue for menu in self.menus.values() for choice in menu.choices.values())
        for queue in filter(None, led):
            hours = self.staffed(queue)
            if self.queues[queue].urgency == "crisis" and self.is_open(at) and (hours == "always" or hours.is_open(at)):
                return queue
        return None

    def calls_back(self, at: datetime) -> bool:
        """Whether people are called back at `at` (aware)."""
        if self.callback is None or self.callback.hours is None:
            return self.callback is not None and self.is_open(at)
        return self.callback.hours.is_open(at)

    def needs(self, queue: str, language: Language | None = None) -> Needs:
        """What `queue` asks of an adviser, for a caller who has chosen a language, or the line's own."""
        asked = self.queues[queue]
        only_heard = {offered.language for offered in self.languages.values() if not offered.advisers}
        language = language or self.language
        return Needs(
            skills=asked.skills,
            queue=queue,
            language=None if language in (FIRST_LANGUAGE, *only_heard) else language,
            site=asked.site,
            urgency=asked.urgency,
        )

    def today(self, at: datetime) -> date:
        """Which day `at` (aware) is where this line is."""
        return at.astimezone(ZoneInfo(ZONE if self.hours == "always" else self.hours.zone)).date()

    def words(self, written: Words, language: Language) -> str:
        """What to say to a caller of that language: in the line's own, where nothing else was written."""
        if isinstance(written, str):
            return written
        return written.get(language) or written[self.language]

    def takes(self, trunk: str) -> bool:
        """Whether calls from `trunk` are for this line."""
        return self.trunks == "any" or trunk in self.trunks


def line_for(lines: Mapping[str, Line], dialled: str, trunk: str) -> Line | str:
    """The line that answers `dialled` for callers of `trunk`, or why none does."""
    line = lines.get(dialled)
    if line is None:
        return "no such line"
    return line if line.takes(trunk) else "the line does not take calls from this trunk"
