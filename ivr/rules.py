"""What must hold in a line file beyond its shape: every word it uses exists, every menu is reached and leads on.

A rule is a generator of problems; to add one, write it and enter it in `check`. The wrong examples in the tests are the
list of what editors do wrong.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from calls.errors import BadFile
from calls.words import Language
from calls.yamlfile import Document
from faxes import NotAPicture, read
from ivr import informationrules
from ivr.hours import Hours, minutes
from ivr.information import Speak
from ivr.line import CHOICE_KEYS, EVERYWHERE, Choice, Line
from ivr.problem import Problem, Steps
from ivr.services import FAX_DOCUMENTS, SERVICES

_NUMBER = re.compile(r"[0-9]{3,15}")
_NAME = re.compile(r"[a-z][a-z0-9_]*")
_TARGETS = ("queue", "menu", "say", "service", "person")
_UNUSED = "lead a choice to it, or remove it"


def check(
    line: Line, document: Document, prompt_keys: Collection[str], languages: Collection[Language], speak: Speak
) -> list[BadFile]:
    """What is wrong with a line of the right shape, in the order of the file.

    Only the first rule that finds anything speaks: what the later ones find is often but its consequence."""
    rules = (
        _line(line, languages),
        _languages(line, languages),
        _names(line),
        _keys(line),
        _choices(line),
        informationrules.menus(line),
        _prompts(line, prompt_keys),
        _rating(line),
        _references(line),
        informationrules.regions(line),
        _faxes(line),
        _pages(line, document.path.parent),
        _ways(line),
        _relaxed(line),
        _lends(line),
        _overflows(line),
        _hours(line),
        informationrules.topics(line),
        informationrules.areas(line),
        informationrules.departments(line),
        informationrules.words(line, languages, speak),
    )
    for problems in rules:
        found = [document.wrong(*steps, reason=reason, mend=mend) for steps, reason, mend in problems]
        if found:
            return sorted(found, key=lambda problem: (problem.line, problem.column))
    return []


def _line(line: Line, languages: Collection[Language]) -> Iterator[Problem]:
    """The number is what is dialled, somebody can bring calls for it, and its language has words."""
    if not _NUMBER.fullmatch(line.number):
        yield Problem(("number",), f"{line.number!r} cannot be dialled", "write 3 to 15 digits, in quotes")
    if not line.trunks:
        yield Problem(("trunks",), "no trunk may bring calls for this line", "name one, or write any")
    if line.language not in languages:
        reason, mend = f"there are no words in {line.language}", f"write one of: {', '.join(sorted(languages))}"
        yield Problem(("language",), reason, f"{mend}, or add its file to the catalogue")


def _languages(line: Line, languages: Collection[Language]) -> Iterator[Problem]:
    """Each has a key of its own, words, and is another one than the line's."""
    for key, offered in line.languages.items():
        where: Steps = ("languages", key)
        if key not in CHOICE_KEYS:
            yield Problem(where, f"{key!r} is not a key for a language", "use one of 1 to 9")
        if offered.language not in languages:
            reason, mend = f"there are no words in {offered.language}", f"write one of: {', '.join(sorted(languages))}"
            yield Problem((*where, "language"), reason, mend)
        elif offered.language == line.language:
            yield Problem((*where, "language"), f"{offered.language} is spoken already", "remove it")


def _names(line: Line) -> Iterator[Problem]:
    """Names go into figures, topics and file names."""
    named: list[tuple[str, Steps]] = []
    named += [(name, ("menus", name)) for name in line.menus]
    named += [(fax.name, ("faxes", key, "name")) for key, fax in line.faxes.items()]
    named += [(choice.name, (*steps, "name")) for steps, _, choice in _each_choice(line)]
    named += [(name, ("queues", name)) for name in line.queues]
    named += [(skill, ("queues", name, "skills", skill)) for name in line.queues for skill in line.queues[name].skills]
    named += [(topic.name, ("topics", place, "name")) for place, topic in enumerate(line.topics)]
    named += [(other.name, ("departments", place, "name")) for place, other in enumerate(line.departments)]
    named += [(region.name, ("regions", place, "name")) for place, region in enumerate(line.regions)]
    named += [(queue.site, ("queues", name, "site")) for name, queue in line.queues.items() if queue.site is not None]
    for name, steps in named:
        if not _NAME.fullmatch(name):
            yield Problem(steps, f"{name!r} is not a name", "use small letters, digits and _, as in pension")


def _keys(line: Line) -> Iterator[Problem]:
    """0, * and # mean the same everywhere; the other keys are one digit."""
    for steps, key, _ in _each_choice(line):
        if key in EVERYWHERE:
            reason = f"the key {key} is taken: it means {EVERYWHERE[key]} in every menu"
            yield Problem(steps, reason, "use another key, 1 to 9")
        elif key not in CHOICE_KEYS:
            yield Problem(steps, f"{key!r} is not a key", "use one of 1 to 9")


def _choices(line: Line) -> Iterator[Problem]:
    """A menu has choices, each choice leads to one thing, and figures can tell them apart."""
    for name, menu in line.menus.items():
        if not menu.choices:
            yield Problem(("menus", name, "choices"), f"the menu {name} has no choices", "add one, or remove the menu")
    taken: dict[tuple[object, str], str] = {}
    for steps, key, choice in _each_choice(line):
        given = [target for target in _TARGETS if getattr(choice, target) is not None]
        if len(given) != 1:
            leads = f"leads to {' and '.join(given)}" if given else "leads nowhere"
            yield Problem(steps, f"the choice {choice.name} {leads}", f"give it one of {', '.join(_TARGETS)}")
        other = taken.setdefault((steps[1], choice.name), key)
        if other != key:
            reason = f"the name {choice.name} is taken by the key {other} of this menu"
            yield Problem((*steps, "name"), reason, "give each choice of a menu its own name")


def _prompts(line: Line, prompt_keys: Collection[str]) -> Iterator[Problem]:
    """Everything that is said has words."""
    said: list[tuple[str, Steps]] = [
        (line.welcome, ("welcome",)),
        (line.notice.prompt, ("notice", "prompt")),
        (line.closed, ("closed",)),
    ]
    said += [(menu.prompt, ("menus", name, "prompt")) for name, menu in line.menus.items() if menu.prompt is not None]
    said += [(fax.title, ("faxes", key, "title")) for key, fax in line.faxes.items()]
    said += [(choice.say, (*steps, "say")) for steps, _, choice in _each_choice(line) if choice.say is not None]
    if line.rating.second:
        said.append((line.rating.second.prompt, ("rating", "second", "prompt")))
    for key, steps in said:
        if key not in prompt_keys:
            mend = "correct its spelling, or add its words to the catalogue of prompts"
            yield Problem(steps, f"there is no prompt {key}", mend)


def _rating(line: Line) -> Iterator[Problem]:
    """A second question has keys, and figures can tell its answers apart."""
    second, where = line.rating.second, ("rating", "second", "choices")
    if second is None:
        return
    if not second.choices:
        yield Problem(where, "the second question has no answers", 'add some, as in "1": settled')
    taken: dict[str, str] = {}
    for key, name in second.choices.items():
        other = taken.setdefault(name, key)
        if key not in CHOICE_KEYS:
            yield Problem((*where, key), f"{key!r} is not a key for an answer", "use one of 1 to 9")
        elif not _NAME.fullmatch(name):
            yield Problem((*where, key), f"{name!r} is not a name", "use small letters, digits and _, as in settled")
        elif other != key:
            yield Problem(
                (*where, key), f"the name {name} is taken by the key {other}", "give each answer its own name"
            )


def _references(line: Line) -> Iterator[Problem]:
    """Every menu, queue and service that is named is there."""
    first: tuple[tuple[str | None, Steps], ...] = ((line.menu, ("menu",)), (line.night, ("night",)))
    menus = [(name, steps) for name, steps in first if name is not None]
    queues: list[tuple[str, Steps]] = [(line.person, ("person",))]
    services: list[tuple[str, Steps]] = []
    for steps, _, choice in _each_choice(line):
        if choice.menu is not None:
            menus.append((choice.menu, (*steps, "menu")))
        if choice.queue is not None:
            queues.append((choice.queue, (*steps, "queue")))
        if choice.service is not None:
            services.append((choice.service, (*steps, "service")))
    known = (("menu", menus, line.menus), ("queue", queues, line.queues), ("service", services, SERVICES))
    for word, named, written in known:
        for name, where in named:
            if name not in written:
                yield Problem(where, f"there is no {word} {name}", f"use one of: {', '.join(written)}")


def _faxes(line: Line) -> Iterator[Problem]:
    """Each document has a key and a name of its own, and is offered somewhere."""
    taken: dict[str, str] = {}
    for key, fax in line.faxes.items():
        if key not in CHOICE_KEYS:
            yield Problem(("faxes", key), f"{key!r} is not a key for a document", "use one of 1 to 9")
        if (other := taken.setdefault(fax.name, key)) != key:
            reason = f"the name {fax.name} is taken by the document of the key {other}"
            yield Problem(("faxes", key, "name"), reason, "give each document its own name")
    offered = [steps for steps, _, choice in _each_choice(line) if choice.service == FAX_DOCUMENTS]
    if offered and not line.faxes:
        reason, mend = "this line has no documents to be faxed", "write them under faxes, or remove this choice"
        yield Problem((*offered[0], "service"), reason, mend)
    if line.faxes and not offered:
        yield Problem(("faxes",), "no choice offers these documents", f"add one with service: {FAX_DOCUMENTS}")


def _pages(line: Line, folder: Path) -> Iterator[Problem]:
    """Each document can be read and sent."""
    for key, fax in line.faxes.items():
        try:
            read(folder / fax.file)
        except NotAPicture as error:
            yield Problem(("faxes", key, "file"), error.reason, error.mend)


def _ways(line: Line) -> Iterator[Problem]:
    """Every menu and queue is reached, and from each menu there is more to reach than menus."""
    led = {line.person, *(choice.queue for _, _, choice in _each_choice(line))}
    led |= {region.queue for region in line.regions}
    led |= {queue.overflow.to for queue in line.queues.values() if queue.overflow}
    for name in line.queues.keys() - led:
        yield Problem(("queues", name), f"nothing leads to the queue {name}", _UNUSED)
    targets = {name: {choice.menu for choice in menu.choices.values()} for name, menu in line.menus.items()}
    for name in line.menus.keys() - _reached(line.menu, targets) - _reached(line.night, targets):
        yield Problem(("menus", name), f"nothing leads to the menu {name}", _UNUSED)
    for name in line.menus:
        if not any(None in targets[reached] for reached in _reached(name, targets)):
            reason = f"the menu {name} leads round in a circle: none of its ways ever ends in anything but a menu"
            mend = "add a choice that leads to a queue, an announcement, a service or a person"
            yield Problem(("menus", name), reason, mend)


def _relaxed(line: Line) -> Iterator[Problem]:
    """Each step gives something up, and holds for some time."""
    for name, queue in line.queues.items():
        for index, step in enumerate(queue.relax):
            where: Steps = ("queues", name, "relax", index)
            if not step.levels and not step.any_site:
                yield Problem(where, "this step asks for no less than before", "give it levels or any_site: true")
            elif step.any_site and queue.site is None:
                yield Problem(where, f"the queue {name} has no site that could be given up", "remove any_site")
            if step.until_s is not None and step.until_s <= step.after_s:
                reason = f"this step ends at {step.until_s:g} s, before it begins at {step.after_s:g} s"
                yield Problem(where, reason, "make until_s the later one")


def _lends(line: Line) -> Iterator[Problem]:
    """Only a site can lend."""
    for name, queue in line.queues.items():
        if queue.keeps and queue.site is None:
            yield Problem(("queues", name, "keeps"), f"the queue {name} has no site that could lend", "give it a site")


def _overflows(line: Line) -> Iterator[Problem]:
    """Each leads somewhere, and never round in a circle."""
    for name, queue in line.queues.items():
        where: Steps = ("queues", name, "overflow")
        if (overflow := queue.overflow) is None:
            continue
        if sum(way is not None for way in (overflow.to, overflow.callback, overflow.message)) != 1:
            yield Problem(
                where, f"the overflow of {name} needs one of to, callback and message", "give just one of them"
            )
        elif overflow.callback and line.callback is None:
            yield Problem(where, "this line calls nobody back", "write callback: {} for the line, or lead to a queue")
        elif overflow.to is not None and overflow.to not in line.queues:
            known = ", ".join(line.queues)
            yield Problem((*where, "to"), f"there is no queue {overflow.to}", f"use one of: {known}")
        elif name in _overflown(line, name):
            yield Problem((*where, "to"), f"the overflow of {name} leads back to {name}", "lead it elsewhere")


def _overflown(line: Line, name: str) -> list[str]:
    """Where a caller of this queue may come to by overflow, each queue once."""
    found: list[str] = []
    while (overflow := line.queues[name].overflow) and overflow.to in line.queues and overflow.to not in found:
        name = overflow.to or ""
        found.append(name)
    return found


def _hours(line: Line) -> Iterator[Problem]:
    """Blocks of time that can be read, in order, and a line that opens at all, and calls back at some time."""
    if isinstance(line.hours, Hours):
        yield from _times(("hours",), line.hours, "the line never opens")
    elif line.night:
        yield Problem(("night",), "this line never closes", "remove night, or write hours")
    for name, queue in line.queues.items():
        if queue.hours:
            yield from _times(("queues", name, "hours"), queue.hours, f"nobody ever works for the queue {name}")
    if line.callback and line.callback.hours:
        yield from _times(("callback", "hours"), line.callback.hours, "nobody is ever called back")


def _times(where: Steps, hours: Hours, never: str) -> Iterator[Problem]:
    try:
        ZoneInfo(hours.zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        yield Problem((*where, "zone"), f"there is no time zone {hours.zone}", "write one as Asia/Shanghai")
    days: list[tuple[Steps, tuple[str, ...]]] = [(("weekly", day), own) for day, own in hours.weekly.items()]
    days += [(("dates", day), own) for day, own in hours.dates.items() if own != "closed"]
    for steps, blocks in days:
        yield from _blocks((*where, *steps), blocks)
    if not any(blocks for _, blocks in days):
        yield Problem(where, never, "write at least one block, as in mon: [08:30-12:00]")


def _blocks(steps: Steps, blocks: tuple[str, ...]) -> Iterator[Problem]:
    """Each can be read, and begins when the one before has ended."""
    ended = 0
    for place, block in enumerate(blocks):
        try:
            start, end = minutes(block)
        except ValueError as error:
            mend = "write it as 08:30-12:00; what goes past midnight is 22:00-24:00 and the next day's 00:00-06:00"
            yield Problem((*steps, place), str(error), mend)
            return
        if start < ended:
            reason = f"{block} begins before {blocks[place - 1]} has ended"
            yield Problem((*steps, place), reason, "write the blocks of a day in order")
        ended = end


def _each_choice(line: Line) -> Iterator[tuple[Steps, str, Choice]]:
    """Every choice of every menu: where it stands, its key, and itself."""
    for name, menu in line.menus.items():
        for key, choice in menu.choices.items():
            yield ("menus", name, "choices", key), key, choice


def _reached(start: str | None, targets: Mapping[str, Collection[str | None]]) -> set[str]:
    """Every menu that is led to from `start`, itself included; None is what is no menu."""
    reached: set[str] = set()
    ahead: list[str | None] = [start]
    while ahead:
        name = ahead.pop()
        if name is not None and name not in reached:
            reached.add(name)
            ahead.extend(targets[name])
    return reached
