"""What must hold of what a city tells by itself, beyond its shape. Each rule is a generator of problems; `check` runs them."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING

from calls.words import Language
from ivr.information import MOST_AREAS, MOST_DEPARTMENTS, MOST_REGIONS, MOST_TOPICS, Speak, Words
from ivr.problem import Problem, Steps

if TYPE_CHECKING:
    from ivr.line import Line

LONGEST_TITLE, LONGEST_MENU, LONGEST_TEXT = 40, 300, 600
"""Characters. A title is heard among others; 600 take three minutes in Chinese: whoever would listen longer needs a person."""

TOPICS_SERVICE, AREAS_SERVICE, DEPARTMENTS_SERVICE, REGIONS_SERVICE = "hot_topics", "offices", "departments", "regions"

_AREA = re.compile(r"[1-9][0-9]{5}")
_NUMBER = re.compile(r"[0-9]{3,15}")


def menus(line: Line) -> Iterator[Problem]:
    """Each asks in one way."""
    for name, menu in line.menus.items():
        if (menu.prompt is None) == (menu.words is None):
            yield Problem(("menus", name), f"the menu {name} needs one of prompt and words", "give just one of them")


def topics(line: Line) -> Iterator[Problem]:
    """Few enough to be remembered, told apart in figures, and told somewhere."""
    if len(line.topics) > MOST_TOPICS:
        reason = f"{len(line.topics)} topics are more than callers remember"
        yield Problem(("topics", MOST_TOPICS), reason, f"keep {MOST_TOPICS}, the most asked about first")
    yield from _twice([(topic.name, ("topics", place, "name")) for place, topic in enumerate(line.topics)], "topic")
    yield from _both(line, "topics", TOPICS_SERVICE, has=bool(line.topics), may_be_none=True)


def areas(line: Line) -> Iterator[Problem]:
    """Codes that the business system can know, each once, and a way to them; where the way is, there are some."""
    if len(line.areas) > MOST_AREAS:
        reason = f"{len(line.areas)} areas are more than anybody listens to"
        yield Problem(("areas", MOST_AREAS), reason, f"keep {MOST_AREAS} at most")
    for place, area in enumerate(line.areas):
        if not _AREA.fullmatch(area.area):
            reason, mend = f"{area.area!r} is not the code of an area", 'write six digits in quotes, as in "330102"'
            yield Problem(("areas", place, "area"), reason, mend)
    yield from _twice([(area.area, ("areas", place, "area")) for place, area in enumerate(line.areas)], "area")
    yield from _both(line, "areas", AREAS_SERVICE, has=bool(line.areas))


def departments(line: Line) -> Iterator[Problem]:
    """Numbers that can be dialled, told apart in figures, and a way to them; where the way is, there are some."""
    if len(line.departments) > MOST_DEPARTMENTS:
        reason = f"{len(line.departments)} departments are more than anybody listens to"
        yield Problem(("departments", MOST_DEPARTMENTS), reason, f"keep {MOST_DEPARTMENTS} at most")
    named: list[tuple[str, Steps]] = []
    for place, department in enumerate(line.departments):
        named.append((department.name, ("departments", place, "name")))
        yield from _dialled(("departments", place, "number"), department.number)
    yield from _twice(named, "department")
    yield from _both(line, "departments", DEPARTMENTS_SERVICE, has=bool(line.departments))


def regions(line: Line) -> Iterator[Problem]:
    """Each leads to one thing that is there, and they are told apart in figures."""
    if len(line.regions) > MOST_REGIONS:
        reason = f"{len(line.regions)} regions are more than anybody listens to"
        yield Problem(("regions", MOST_REGIONS), reason, f"keep {MOST_REGIONS} at most")
    for place, region in enumerate(line.regions):
        where: Steps = ("regions", place)
        if (region.queue is None) == (region.number is None):
            yield Problem(where, f"the region {region.name} needs one of queue and number", "give just one of them")
        elif region.number is not None:
            yield from _dialled((*where, "number"), region.number)
        elif region.queue not in line.queues:
            known = ", ".join(line.queues)
            yield Problem((*where, "queue"), f"there is no queue {region.queue}", f"use one of: {known}")
    yield from _twice(
        [(region.name, ("regions", place, "name")) for place, region in enumerate(line.regions)], "region"
    )
    yield from _both(line, "regions", REGIONS_SERVICE, has=bool(line.regions))


def words(line: Line, languages: Collection[Language], speak: Speak) -> Iterator[Problem]:
    """Everything can be said, in the line's language at least. This is where it is rendered."""
    for steps, written, most in _written(line):
        if isinstance(written, str):
            yield from _said(steps, line.language, written, most, speak)
            continue
        if line.language not in written:
            reason = f"there are no words in {line.language}, the line's own language"
            yield Problem(steps, reason, f"add {line.language} and its words")
        for language, text in written.items():
            if language in languages:
                yield from _said((*steps, language), language, text, most, speak)
            else:
                reason, mend = f"there is no language {language}", f"write one of: {', '.join(sorted(languages))}"
                yield Problem((*steps, language), reason, mend)


def _said(steps: Steps, language: Language, text: str, most: int, speak: Speak) -> Iterator[Problem]:
    if len(text) > most:
        yield Problem(steps, f"{len(text)} characters are more than callers listen to", f"write {most} or fewer")
    elif not text.strip():
        yield Problem(steps, "there are no words to be said", "write what callers are to hear")
    elif fault := speak(language, text):
        yield Problem(steps, *fault)


def _written(line: Line) -> Iterator[tuple[Steps, Words, int]]:
    """Every text of the line: where it stands, itself, and how many characters it may have."""
    for name, menu in line.menus.items():
        if menu.words is not None:
            yield ("menus", name, "words"), menu.words, LONGEST_MENU
    for place, topic in enumerate(line.topics):
        yield ("topics", place, "title"), topic.title, LONGEST_TITLE
        yield ("topics", place, "text"), topic.text, LONGEST_TEXT
    for place, area in enumerate(line.areas):
        yield ("areas", place, "title"), area.title, LONGEST_TITLE
    for place, department in enumerate(line.departments):
        yield ("departments", place, "title"), department.title, LONGEST_TITLE
    for place, region in enumerate(line.regions):
        yield ("regions", place, "title"), region.title, LONGEST_TITLE


def _dialled(steps: Steps, number: str) -> Iterator[Problem]:
    if not _NUMBER.fullmatch(number):
        yield Problem(steps, f"{number!r} cannot be dialled", "write 3 to 15 digits, in quotes")


def _twice(named: list[tuple[str, Steps]], word: str) -> Iterator[Problem]:
    """A name that another one has."""
    taken: set[str] = set()
    for name, steps in named:
        if name in taken:
            yield Problem(steps, f"{name} is taken by another {word}", "give each its own")
        taken.add(name)


def _both(line: Line, key: str, service: str, *, has: bool, may_be_none: bool = False) -> Iterator[Problem]:
    """What is written is led to by a choice, and what a choice leads to is written."""
    choices = [
        ("menus", name, "choices", at, "service")
        for name, menu in line.menus.items()
        for at, choice in menu.choices.items()
        if choice.service == service
    ]
    if has and not choices:
        yield Problem((key,), f"no key leads to these {key}", f"give a choice `service: {service}`, or remove them")
    if choices and not has and not may_be_none:
        yield Problem(choices[0], f"the service {service} has nothing to tell", f"write `{key}` for the line")
