"""What must hold in a line file beyond its shape: every word it uses exists, every menu is reached and leads on.

A rule is a generator of BadFile; to add one, write it and enter it in `RULES`. The wrong examples in the tests are the
list of what editors do wrong.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from calls.errors import BadFile
from calls.yamlfile import Document
from ivr.hours import Hours, minutes
from ivr.line import CHOICE_KEYS, EVERYWHERE, Choice, Line

_NUMBER = re.compile(r"[0-9]{3,15}")
_NAME = re.compile(r"[a-z][a-z0-9_]*")
_TARGETS = ("queue", "menu", "say", "person")


class Checked(msgspec.Struct, frozen=True):
    """What a rule looks at."""

    line: Line
    document: Document
    prompt_keys: Collection[str]

    def choices(self) -> Iterator[tuple[str, str, Choice]]:
        """Every choice with its menu and its key."""
        for name, menu in self.line.menus.items():
            for key, choice in menu.choices.items():
                yield name, key, choice

    def wrong(self, *steps: object, reason: str, mend: str) -> BadFile:
        """What is wrong at `steps` of the file."""
        return self.document.wrong(*steps, reason=reason, mend=mend)


def check(line: Line, document: Document, prompt_keys: Collection[str]) -> Iterator[BadFile]:
    """Everything that is wrong with a line of the right shape, rule by rule."""
    checked = Checked(line, document, prompt_keys)
    for rule in RULES:
        yield from rule(checked)


def _line(it: Checked) -> Iterator[BadFile]:
    """The number is what is dialled."""
    if not _NUMBER.fullmatch(it.line.number):
        yield it.wrong("number", reason=f"{it.line.number!r} cannot be dialled", mend="write 3 to 15 digits, in quotes")
    if not it.line.trunks:
        yield it.wrong("trunks", reason="no trunk may bring calls for this line", mend="name one, or write any")


def _names(it: Checked) -> Iterator[BadFile]:
    """Names go into figures, topics and file names."""
    places: list[tuple[str, tuple[str, ...]]] = [
        *((name, ("menus", name)) for name in it.line.menus),
        *((name, ("queues", name)) for name in it.line.queues),
        *(
            (skill, ("queues", name, "skills", skill))
            for name, queue in it.line.queues.items()
            for skill in queue.skills
        ),
        *((choice.name, ("menus", menu, "choices", key, "name")) for menu, key, choice in it.choices()),
    ]
    for name, steps in places:
        if not _NAME.fullmatch(name):
            yield it.wrong(
                *steps, reason=f"{name!r} is not a name", mend="use small letters, digits and _, as in pension"
            )


def _keys(it: Checked) -> Iterator[BadFile]:
    """0, * and # mean the same everywhere; the other keys are one digit."""
    for menu, key, _ in it.choices():
        if key in EVERYWHERE:
            reason = f"the key {key} is taken: it means {EVERYWHERE[key]} in every menu"
            yield it.wrong("menus", menu, "choices", key, reason=reason, mend="use another key, 1 to 9")
        elif key not in CHOICE_KEYS:
            yield it.wrong("menus", menu, "choices", key, reason=f"{key!r} is not a key", mend="use one of 1 to 9")


def _choices(it: Checked) -> Iterator[BadFile]:
    """A menu asks something, each choice leads to one thing, and figures can tell them apart."""
    for name, menu in it.line.menus.items():
        if not menu.choices:
            yield it.wrong(
                "menus", name, "choices", reason=f"the menu {name} has no choices", mend="add one, or remove the menu"
            )
        seen: dict[str, str] = {}
        for key, choice in menu.choices.items():
            steps = ("menus", name, "choices", key)
            given = [target for target in _TARGETS if getattr(choice, target) is not None]
            if len(given) != 1:
                said = f"leads to {' and '.join(given)}" if given else "leads nowhere"
                yield it.wrong(
                    *steps, reason=f"the choice {choice.name} {said}", mend=f"give it one of {', '.join(_TARGETS)}"
                )
            if choice.name in seen:
                reason = f"the name {choice.name} is taken by the key {seen[choice.name]} of this menu"
                yield it.wrong(*steps, "name", reason=reason, mend="give each choice of a menu its own name")
            seen.setdefault(choice.name, key)


def _prompts(it: Checked) -> Iterator[BadFile]:
    """Everything that is said has words."""
    places: list[tuple[str, tuple[str, ...]]] = [
        (it.line.welcome, ("welcome",)),
        (it.line.notice.prompt, ("notice", "prompt")),
        (it.line.closed, ("closed",)),
        *((menu.prompt, ("menus", name, "prompt")) for name, menu in it.line.menus.items()),
        *((choice.say, ("menus", menu, "choices", key, "say")) for menu, key, choice in it.choices() if choice.say),
    ]
    for key, steps in places:
        if key not in it.prompt_keys:
            mend = "correct its spelling, or add its words to the catalogue of prompts"
            yield it.wrong(*steps, reason=f"there is no prompt {key}", mend=mend)


def _references(it: Checked) -> Iterator[BadFile]:
    """Every menu and queue that is named is written, every one that is written is named."""
    line = it.line
    if line.menu not in line.menus:
        yield it.wrong("menu", reason=f"there is no menu {line.menu}", mend=_one_of(line.menus))
    if line.person not in line.queues:
        yield it.wrong("person", reason=f"there is no queue {line.person}", mend=_one_of(line.queues))
    for menu, key, choice in it.choices():
        if choice.menu is not None and choice.menu not in line.menus:
            steps = ("menus", menu, "choices", key, "menu")
            yield it.wrong(*steps, reason=f"there is no menu {choice.menu}", mend=_one_of(line.menus))
        if choice.queue is not None and choice.queue not in line.queues:
            steps = ("menus", menu, "choices", key, "queue")
            yield it.wrong(*steps, reason=f"there is no queue {choice.queue}", mend=_one_of(line.queues))
    led_to = {line.person, *(choice.queue for _, _, choice in it.choices())}
    for name in line.queues.keys() - led_to:
        yield it.wrong(
            "queues", name, reason=f"nothing leads to the queue {name}", mend="lead a choice to it, or remove it"
        )


def _ways(it: Checked) -> Iterator[BadFile]:
    """From the first menu every other one is reached, and from each there is more to reach than menus."""
    menus = it.line.menus
    leads = {
        name: {choice.menu for choice in menu.choices.values() if choice.menu in menus} for name, menu in menus.items()
    }
    for name in menus.keys() - _reached(it.line.menu, leads):
        yield it.wrong(
            "menus", name, reason=f"nothing leads to the menu {name}", mend="lead a choice to it, or remove it"
        )
    ends = {name for name, menu in menus.items() if any(choice.menu is None for choice in menu.choices.values())}
    for name, menu in menus.items():
        if menu.choices and not ends & _reached(name, leads):
            reason = f"the menu {name} leads round in a circle: none of its choices ever ends in anything but a menu"
            yield it.wrong(
                "menus", name, reason=reason, mend="add a choice that leads to a queue, an announcement or a person"
            )


def _hours(it: Checked) -> Iterator[BadFile]:
    """Blocks of time that can be read, in order, and a line that opens at all."""
    hours = it.line.hours
    if not isinstance(hours, Hours):
        return
    try:
        ZoneInfo(hours.zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        yield it.wrong("hours", "zone", reason=f"there is no time zone {hours.zone}", mend="write one as Asia/Shanghai")
    days = [
        *(("weekly", day, own) for day, own in hours.weekly.items()),
        *(("dates", day, own) for day, own in hours.dates.items()),
    ]
    for table, day, blocks in days:
        if blocks != "closed":
            yield from _blocks(it, table, day, blocks)
    if not any(blocks and blocks != "closed" for _, _, blocks in days):
        yield it.wrong(
            "hours", reason="the line never opens", mend="write at least one block, as in mon: [08:30-12:00]"
        )


def _blocks(it: Checked, table: str, day: object, blocks: tuple[str, ...]) -> Iterator[BadFile]:
    """Each can be read, and begins when the one before has ended."""
    read: list[tuple[int, int]] = []
    for place, block in enumerate(blocks):
        try:
            read.append(minutes(block))
        except ValueError as error:
            mend = "write it as 08:30-12:00; what goes past midnight is 22:00-24:00 and the next day's 00:00-06:00"
            yield it.wrong("hours", table, day, place, reason=str(error), mend=mend)
            return
        if place and read[place - 1][1] > read[place][0]:
            reason = f"{block} begins before {blocks[place - 1]} has ended"
            yield it.wrong("hours", table, day, place, reason=reason, mend="write the blocks of a day in order")


def _one_of(names: Collection[str]) -> str:
    return f"use one of: {', '.join(names)}"


def _reached(start: str, leads: Mapping[str, Collection[str]]) -> set[str]:
    """Everything that `leads` leads to from `start`, itself included."""
    reached: set[str] = set()
    ahead = [start]
    while ahead:
        name = ahead.pop()
        if name not in reached:
            reached.add(name)
            ahead.extend(leads.get(name, ()))
    return reached


Rule = Callable[[Checked], Iterator[BadFile]]

RULES: tuple[Rule, ...] = (_line, _names, _keys, _choices, _prompts, _references, _ways, _hours)
