"""Every branch of a line, as walks that somebody could take by telephone: what to key, and what must be heard.

They are read off the line file alone, not off the flow that plays it: what walks them finds out whether the two agree. A walk
is a row of stops; a stop may reach a leaf: one key of one menu, a missing key, a wrong one, a language. To add something that
a line can do, add its stops here, and its leaf is walked from then on.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

import msgspec

from calls.words import Language
from ivr.line import AGAIN, BACK, CHOICE_KEYS, PERSON, Choice, Line, Menu
from ivr.opening import opening

WAITING = ("queue.enter", "region.queue", "queue.kept")
"""The second is also what a seat that answers at once leaves of the first: they begin with the same words."""

REACHED = "seat.number"
"""The adviser's number, said as soon as somebody has answered."""

NOT_REACHED = (
    "queue.no_seat",
    "queue.full",
    "queue.unrecorded",
    "busy.message",
    "busy.callback",
    "busy.later",
)
QUEUE = (*WAITING, REACHED, *NOT_REACHED)
"""What callers hear who were led to a queue, whatever its state."""

OPENS_AGAIN = ("closed.today", "closed.tomorrow", "closed.next", "closed.day")
OFFER = "language.offer"

OWN_WORDS = "menu.own"
"""Asks a menu in the line's own words."""

ANYTHING = "any"
"""In place of a sentence: one that is not the line's own, from a service whose words cannot be known before."""


class Stop(msgspec.Struct, frozen=True):
    """Press the key, or none; then one of these sentences is the next."""

    hears: tuple[str, ...]
    key: str | None = None
    language: Language | None = None
    """In this language; None: whichever."""
    passing: tuple[str, ...] = ()
    """Sentences that may be said before."""
    leaf: str | None = None
    """What is reached when they are heard."""
    rings: bool = False
    """A seat may ring from here on: who comes here may have to wait for a turn, and hears what a menu says meanwhile."""


class Walk(msgspec.Struct, frozen=True):
    """One call."""

    name: str
    stops: tuple[Stop, ...]

    @property
    def leaves(self) -> tuple[str, ...]:
        """What it reaches."""
        return tuple(stop.leaf for stop in self.stops if stop.leaf)

    @property
    def rings(self) -> bool:
        """Whether it comes to where a seat may ring."""
        return any(stop.rings for stop in self.stops)


class Walks(NamedTuple):
    """All of a line at one moment."""

    walks: list[Walk]
    not_now: list[str]
    """Menus that no key leads to at this moment: those of the night by day, those of the day by night."""


def walks(line: Line, at: datetime) -> Walks:
    """Every branch that can be walked at `at` (aware); those that take longest come first."""
    here = _Here(line, at)
    ways = here.ways()
    found = [walk for name, way in ways.items() for walk in here.manners(name, way)]
    found += [here.language(key) for key in line.languages]
    found += [walk for name, way in ways.items() for walk in here.choices(name, way)]
    if not ways:
        found.append(Walk("start", here.to_nobody()))
    return Walks(found, [name for name in line.menus if name not in ways])


def to_person(line: Line, at: datetime) -> Walk | None:
    """The shortest way to a person; None when nobody is to be reached at `at` (aware)."""
    here = _Here(line, at)
    if not here.is_staffed(line.person):
        return None
    key = PERSON if here.first else None
    start = here.start() if here.first else here.start()[:-1]
    return Walk(
        "person", (*start, Stop((REACHED,), key=key, passing=(*WAITING, "queue.position", *_SAID_WAITING), rings=True))
    )


_SAID_WAITING = ("queue.expected", "queue.expected.one", "queue.still_waiting", "callback.offer")


class _Here:
    """The line at one moment."""

    def __init__(self, line: Line, at: datetime) -> None:
        self.line, self.at = line, at
        self.is_open = line.is_open(at)
        self.first = line.menu if self.is_open else line.night

    def is_staffed(self, queue: str) -> bool:
        hours = self.line.staffed(queue)
        return self.is_open and (hours == "always" or hours.is_open(self.at))

    def start(self) -> tuple[Stop, ...]:
        """From the answer to the first menu, or to what stands in its place."""
        line, offers = self.line, (OFFER,) if self.line.languages else ()
        stops = [Stop((line.welcome,)), Stop((line.notice.prompt,), language=line.language)]
        if not self.is_open:
            stops.append(Stop((line.closed,), passing=offers))
        passing = offers if self.is_open else OPENS_AGAIN
        menu = self._asks(self.first) if self.first else "goodbye"
        return (*stops, Stop((menu,), passing=passing))

    def _asks(self, menu: str) -> str:
        """The sentence that asks it."""
        return self.line.menus[menu].prompt or OWN_WORDS

    def to_nobody(self) -> tuple[Stop, ...]:
        """A line without menus, or one that is closed and has none for the night."""
        *start, last = self.start()
        if not self.is_open:
            return (*start, msgspec.structs.replace(last, leaf="closed"))
        first, *rest = self._led_to(self.line.person, None, "person")
        return (*start, msgspec.structs.replace(first, passing=(*last.passing, *first.passing)), *rest)

    def ways(self) -> dict[str, tuple[Stop, ...]]:
        """Each menu that keys lead to, and the shortest way to it."""
        if self.first is None:
            return {}
        ways, ahead = {self.first: self.start()}, [self.first]
        while ahead:
            here = ahead.pop(0)
            for key, choice in self.line.menus[here].choices.items():
                if choice.menu and choice.menu not in ways:
                    ways[choice.menu] = (*ways[here], self._leads_on(here, key, choice.menu))
                    ahead.append(choice.menu)
        return ways

    def choices(self, name: str, way: tuple[Stop, ...]) -> Iterator[Walk]:
        """A walk for each key of the menu, and for a person."""
        menu, passed = self.line.menus[name], {stop.leaf for to in self.ways().values() for stop in to}
        for key, choice in menu.choices.items():
            if (leaf := _leaf(name, key, choice.name)) not in passed:  # whoever goes on from there has come by it
                yield Walk(leaf, (*way, *self._chosen(name, key, choice)))
        leaf = _leaf(name, PERSON, "person")
        yield Walk(leaf, (*way, *self._led_to(self.line.person, PERSON, leaf, name)))

    def _chosen(self, name: str, key: str, choice: Choice) -> tuple[Stop, ...]:
        leaf, prompt = _leaf(name, key, choice.name), self._asks(name)
        if choice.menu:
            return (self._leads_on(name, key, choice.menu),)
        if choice.say:
            return Stop((choice.say,), key=key, leaf=leaf), Stop((prompt,))
        if choice.service:
            return (Stop(opening(choice.service, self.line) or (ANYTHING,), key=key, leaf=leaf),)
        return self._led_to(choice.queue or self.line.person, key, leaf, name)

    def _leads_on(self, name: str, key: str, to: str) -> Stop:
        leaf = _leaf(name, key, self.line.menus[name].choices[key].name)
        return Stop((self._asks(to),), key=key, leaf=leaf)

    def _led_to(self, queue: str, key: str | None, leaf: str, menu: str | None = None) -> tuple[Stop, ...]:
        """Into a queue; or, where nobody works for it now, to a message. `menu`: the one whose key it is."""
        if self.is_staffed(queue):
            meanwhile = (self._asks(menu), "key.missing") if menu else ()
            return (Stop(QUEUE, key=key, passing=meanwhile, leaf=leaf, rings=True),)
        if self.is_open:
            return Stop((self.line.closed,), key=key), Stop(("message.night",), passing=OPENS_AGAIN, leaf=leaf)
        return (Stop(("message.night",), key=key, leaf=leaf),)

    def manners(self, name: str, way: tuple[Stop, ...]) -> Iterator[Walk]:
        """Whoever keys nothing, wants it once more, keys what is no choice, and goes back; and whoever runs out of tries."""
        menu = self.line.menus[name]
        again = Stop((self._asks(name),))
        stops = [Stop(("key.missing",), leaf=f"{name} missing"), again] if self.line.tries > 1 else []
        stops.append(Stop((self._asks(name),), key=AGAIN, leaf=_leaf(name, AGAIN, "again")))
        wrong = _wrong_key(menu)
        if wrong and self.line.tries > 2:
            stops += [Stop(("key.wrong",), key=wrong, leaf=f"{name} wrong"), again]
        before = [stop for stop in way if stop.leaf][-2:-1]
        back = before[0].hears if before else (self._asks(self.first or name),)
        stops.append(Stop(back, key=BACK, leaf=_leaf(name, BACK, "back")))
        yield Walk(f"{name} manners", (*way, *stops))
        if wrong:
            yield Walk(f"{name} gives up", (*way, *self._gives_up(name, wrong)))

    def _gives_up(self, name: str, wrong: str) -> tuple[Stop, ...]:
        leaf = f"{name} gave up"
        tries = [Stop(("key.wrong",), key=wrong)] * (self.line.tries - 1)
        first, *rest = self._led_to(self.line.person, None, leaf)
        meanwhile = (self._asks(name),) if first.rings else ()
        return (*tries, Stop(("key.three_tries",), key=wrong, passing=meanwhile, rings=first.rings), first, *rest)

    def language(self, key: str) -> Walk:
        """A language by its key: the notice again, in it, and whatever follows."""
        line, spoken, leaf = self.line, self.line.languages[key].language, f"language {key}"
        welcome, notice, *_, last = self.start()
        chosen = Stop((line.notice.prompt,), key=key, language=spoken)
        follows = (line.closed,) if not self.is_open else last.hears if self.first else QUEUE
        rings = self.is_open and not self.first
        return Walk(
            f"{leaf} {spoken}",
            (welcome, notice, Stop((OFFER,)), chosen, Stop(follows, language=spoken, leaf=leaf, rings=rings)),
        )


def _wrong_key(menu: Menu) -> str | None:
    """A key that is no choice; None when each of them is one."""
    return next((key for key in reversed(CHOICE_KEYS) if key not in menu.choices), None)


def _leaf(menu: str, key: str, name: str) -> str:
    return f"{menu} {key} {name}"
