"""What callers do who key anything: scripts from a seed, biased so that they reach deep places before they go astray.

A script follows the line's own menus to one of their leaves, shows who is calling (invented citizens with their PINs, now
and then a wrong one), and answers what is asked then. Noise is strewn in: other keys, bursts, slow fingers, keys during the
notice. Many hang up in the middle of it, some within 50 ms of a key. The same seed gives the same scripts.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence

import msgspec

from bureau.people import Person
from ivr.line import AGAIN, BACK, EVERYWHERE, PERSON, Choice, Line
from tests.telephones.crowd import chance_of

KEYS = "0123456789*#"
WRONG_PINS = ("973158", "951738")
"""Nobody's: the reference system gives out PINs at random, and these two are looked for everywhere afterwards."""

NOBODYS = ("990101196802290010", "99010119500307005X")
"""Numbers that can be right, and are no citizen's."""

ANYBODYS = ("voice_message", "complaint", "fax_documents", "hot_topics", "offices", "departments", "regions")
"""Services that do not ask who calls."""

AT_A_KEY_S = 0.05
"""A hang-up this soon after a key crosses its event."""

DEEPEST = 6
"""Menus within menus: a line that leads back to where one was is not followed for ever."""


class Step(msgspec.Struct, frozen=True):
    """Keys, one after the other as fast as a telephone sends them."""

    keys: str
    wait_s: float = 0.0
    """Before the first one."""
    listens: bool = False
    """Waits before that until the machine has said what it says."""


class Script(msgspec.Struct, frozen=True):
    """One caller."""

    line: str
    steps: tuple[Step, ...]
    leaves_s: float
    """Hangs up so long after the last key, or after dialling when there is none."""
    patience_s: float
    """Hangs up at the latest so long after dialling."""

    def __str__(self) -> str:
        said = " ".join(f"{'listens' if s.listens else ''}+{s.wait_s:.2f}:{s.keys}" for s in self.steps)
        return f"{self.line} [{said}] leaves +{self.leaves_s:.3f}, at the latest after {self.patience_s:.1f} s"


Leaf = tuple[str, Choice]
"""The keys that lead there, one a menu, and what is there."""


def leaves(line: Line) -> list[Leaf]:
    """Every way through the line's menus to something that is no menu, by day and by night."""
    found: list[Leaf] = []
    for first in (line.menu, line.night):
        if first:
            found += _leaves(line, first, "")
    return found


def _leaves(line: Line, menu: str, keyed: str) -> Iterator[Leaf]:
    for key, choice in line.menus[menu].choices.items():
        if choice.menu is None:
            yield keyed + key, choice
        elif len(keyed) < DEEPEST:
            yield from _leaves(line, choice.menu, keyed + key)


def script_of(seed: int, number: int, lines: Mapping[str, Line], people: Sequence[Person], patience_s: float) -> Script:
    """What the caller of this number does."""
    chance = chance_of(seed, f"caller {number}")
    numbers = sorted(lines)
    line = lines[chance.choices(numbers, [_weight(lines[number]) for number in numbers])[0]]
    if chance.random() < 0.06:  # thinks better of it, some before the answer is there
        return Script(line.number, (), chance.uniform(0.0, 1.0), patience_s)
    steps = [step for _ in range(chance.choice((1, 1, 2))) for step in _errand(chance, line, people)]
    if chance.random() < 0.35:  # knows what to do
        return Script(line.number, tuple(steps), _leaves_after(chance), patience_s)
    if chance.random() < 0.3:  # during the welcome and the notice
        steps.insert(0, Step(_any_keys(chance, 6), chance.uniform(0.0, 1.4)))
    for _ in range(chance.choice((0, 0, 1, 2, 4))):
        steps.insert(chance.randrange(len(steps) + 1), Step(_any_keys(chance, 8), chance.uniform(0.0, 2.0)))
    pace = chance.random()
    if pace < 0.1:  # all at once, whatever is said
        steps = [Step(step.keys, 0.0) for step in steps]
    elif pace < 0.17:  # takes the telephone from the ear for each key
        steps = [Step(key, chance.uniform(0.3, 5.0)) for step in steps for key in step.keys]
    if chance.random() < 0.5:
        steps = _cut_off(chance, steps)
    return Script(line.number, tuple(steps), _leaves_after(chance), patience_s)


def _weight(line: Line) -> int:
    """Lines with services are called more often: there is more to break."""
    return 1 + sum(_asks_who_calls(choice) for _, choice in leaves(line))


def _asks_who_calls(choice: Choice) -> bool:
    """As most services do."""
    return choice.service not in (None, *ANYBODYS)


def _errand(chance: random.Random, line: Line, people: Sequence[Person]) -> Iterator[Step]:
    """To a leaf of the menus, and what is asked there."""
    ways = leaves(line)
    keys, leaf = chance.choices(ways, [3 if _asks_who_calls(choice) else 1 for _, choice in ways])[0]
    for key in keys:
        yield Step(key, chance.uniform(0.0, 0.5), listens=True)
    if _asks_who_calls(leaf) or chance.random() < 0.1:
        yield from _identity(chance, people)
        if chance.random() < 0.2:  # needs another try
            yield from _identity(chance, people)
    for _ in range(chance.randrange(4)):
        yield Step(chance.choice((AGAIN, BACK, PERSON, chance.choice(KEYS))), chance.uniform(0.0, 1.5), listens=True)


def _identity(chance: random.Random, people: Sequence[Person]) -> Iterator[Step]:
    """A number and a PIN, right more often than not."""
    person = chance.choice(people)
    number = person.id_number
    if chance.random() < 0.2:
        number = chance.choice(NOBODYS)
    number = number.replace("X", AGAIN)
    if person.card and chance.random() < 0.25:
        number = f"{person.card.number}{BACK}"
    pin = person.pin if chance.random() < 0.8 else chance.choice((*WRONG_PINS, person.pin[:4] + BACK))
    yield Step(_astray(chance, number), chance.uniform(0.0, 0.4), listens=True)
    yield Step(_astray(chance, pin), chance.uniform(0.0, 0.4), listens=chance.random() < 0.7)


def _astray(chance: random.Random, keys: str) -> str:
    """Mostly as it should be; else a key too many, one too few, or begun anew by *."""
    place = chance.randrange(len(keys))
    match chance.randrange(20):
        case 0:
            return keys[:place] + chance.choice(KEYS) + keys[place:]
        case 1:
            return keys[:place] + keys[place + 1 :]
        case 2:
            return keys[:place] + AGAIN + keys
        case 3:
            return keys + chance.choice(list(EVERYWHERE))
    return keys


def _any_keys(chance: random.Random, most: int) -> str:
    return "".join(chance.choices(KEYS, k=chance.randint(1, most)))


def _cut_off(chance: random.Random, steps: list[Step]) -> list[Step]:
    """The call ends somewhere in the middle, also in the middle of a number."""
    last = chance.randrange(len(steps))
    step = steps[last]
    keys = step.keys[: chance.randint(1, len(step.keys))]
    return [*steps[:last], msgspec.structs.replace(step, keys=keys)]


def _leaves_after(chance: random.Random) -> float:
    kind = chance.random()
    if kind < 0.35:
        return chance.uniform(0.0, AT_A_KEY_S)
    return chance.uniform(0.0, 0.5) if kind < 0.55 else chance.uniform(0.5, 8.0)
