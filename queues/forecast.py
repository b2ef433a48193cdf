"""A forecast: calls, patience and shifts of a day, as a file that people edit, and the day that a seed makes of it.

Assumed, because no more is known: within a half hour calls come independently of each other (Poisson, with the file's count
exactly), conversations and patience are exponential, and every adviser answers at once. `docs/twin.md` tells editors what may
stand in the file. To add a key: a field here, its rule in `_check`, a row there.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, NamedTuple

import msgspec

from calls.errors import BadFile
from calls.words import Needs, Relax, Urgency
from calls.yamlfile import Document, load
from queues.advisers import Adviser
from queues.events import QueueRules
from queues.twin import Call, CallingBack, Outcome, Shift, live

HALF_HOUR_S = 1800
DAY_S = 24 * 3600

Positive = Annotated[float, msgspec.Meta(gt=0)]
Part = Annotated[float, msgspec.Meta(ge=0, le=1)]
Level = Annotated[int, msgspec.Meta(ge=1, le=5)]

_TIME = re.compile(r"([01][0-9]|2[0-4]):(00|30)")


class Topic(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What some of the calls are about: `part` is their weight among all topics."""

    part: Positive
    skills: dict[str, Level] = {}
    urgency: Urgency = "normal"
    language: str | None = None
    site: str | None = None
    relax: tuple[Relax, ...] = ()


class Staff(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """So many advisers who are alike, from one half hour to another."""

    begin: str
    end: str
    seats: Annotated[int, msgspec.Meta(ge=1, le=10_000)]
    skills: dict[str, Level] = {}
    languages: tuple[str, ...] = ()
    site: str = ""


class Callback(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How people are called back, and what they make of it. Parts of 1, seconds."""

    accepts: Part
    """Of those to whom it is offered."""
    answers: Part
    """Of the times that a citizen is rung."""
    attempts: Annotated[int, msgspec.Meta(ge=1, le=9)] = 3
    offer_after_s: Annotated[float, msgspec.Meta(ge=0)] = 45.0
    missed_after_s: Annotated[float, msgspec.Meta(ge=0)] | None = None
    """Whoever gives up after so long is called back in the gaps; None: nobody who gives up."""
    again_after_s: Positive = 600.0
    answers_s: Positive = 8.0
    """What an adviser waits for a citizen who answers."""
    rings_s: Positive = 25.0
    """For one who does not."""


class Forecast(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One day of one centre."""

    version: str
    calls: dict[str, Annotated[int, msgspec.Meta(ge=0, le=100_000)]]
    """Half hour, as "13:30" -> how many call in it."""
    topics: dict[str, Topic]
    """By the queue's name."""
    staff: tuple[Staff, ...]
    handling_s: Positive
    """Mean length of a conversation."""
    patience_s: Positive
    """Mean patience of those who wait."""
    wrap_up_s: Annotated[float, msgspec.Meta(ge=0)] = 0.0
    within_s: Annotated[float, msgspec.Meta(ge=0)] = 30.0
    """The service level: answered within so long. 30 s is the ministry's class 1."""
    max_waiting: Annotated[int, msgspec.Meta(ge=1)] = 1000
    """Of each queue."""
    callback: Callback | None = None
    """None: nobody is called back."""
    seed: int = 1


class Day(NamedTuple):
    """What `live` takes."""

    calls: list[Call]
    shifts: list[Shift]
    advisers: dict[str, Adviser]
    queues: dict[str, QueueRules]
    wrap_up_s: float
    calling_back: CallingBack | None


def load_forecast(path: Path) -> Forecast:
    """Raises BadFile with line, column, reason and mend."""
    forecast, document = load(path, Forecast)
    for problem in _check(forecast, document):
        raise problem
    return forecast


def make_day(forecast: Forecast, seed: int | None = None) -> Day:
    """The same calls for the same seed (the file\'s own, or another), whatever the staff is: so two staffings compare."""
    advisers, shifts = _staffed(forecast.staff)
    queues = {name: QueueRules(forecast.max_waiting, topic.relax) for name, topic in forecast.topics.items()}
    seed = forecast.seed if seed is None else seed
    calls = _called(forecast, random.Random(seed))
    back = forecast.callback
    if back is None:
        return Day(calls, shifts, advisers, queues, forecast.wrap_up_s, None)
    rules = CallingBack(back.offer_after_s, back.missed_after_s, back.again_after_s, back.answers_s, back.rings_s)
    calls = _at_home(calls, back, random.Random(f"{seed}/back"))
    return Day(calls, shifts, advisers, queues, forecast.wrap_up_s, rules)


def live_day(day: Day) -> list[Outcome]:
    """One outcome a call."""
    return live(day.calls, day.shifts, day.advisers, day.queues, day.wrap_up_s, calling_back=day.calling_back)


def _called(forecast: Forecast, chance: random.Random) -> list[Call]:
    needs = [
        Needs(topic.skills, name, language=topic.language, site=topic.site, urgency=topic.urgency)
        for name, topic in forecast.topics.items()
    ]
    parts = [topic.part for topic in forecast.topics.values()]
    moments = sorted(
        seconds(begin) + chance.uniform(0, HALF_HOUR_S)
        for begin, calls in sorted(forecast.calls.items())
        for _ in range(calls)
    )
    return [
        Call(
            at_s=moment,
            needs=chance.choices(needs, parts)[0],
            handling_s=chance.expovariate(1 / forecast.handling_s),
            patience_s=chance.expovariate(1 / forecast.patience_s),
        )
        for moment in moments
    ]


def _at_home(calls: list[Call], back: Callback, chance: random.Random) -> list[Call]:
    """The same calls, and what each caller makes of being called back."""
    return [
        msgspec.structs.replace(
            call,
            asks=chance.random() < back.accepts,
            at_home=tuple(chance.random() < back.answers for _ in range(back.attempts)),
        )
        for call in calls
    ]


def _staffed(staff: tuple[Staff, ...]) -> tuple[dict[str, Adviser], list[Shift]]:
    advisers: dict[str, Adviser] = {}
    shifts: list[Shift] = []
    for group in staff:
        for _ in range(group.seats):
            number = str(10_001 + len(shifts))
            advisers[number] = Adviser(number, dict(group.skills), group.languages, group.site)
            shifts.append(Shift(number, number, seconds(group.begin), seconds(group.end)))
    return advisers, shifts


def seconds(time: str) -> float:
    """From midnight; "24:00" is the end of the day."""
    hours, minutes = time.split(":")
    return 3600.0 * int(hours) + 60.0 * int(minutes)


def _check(forecast: Forecast, document: Document) -> Iterator[BadFile]:
    half_hour = 'write a full or half hour, in quotes, as "13:30"'
    for time in forecast.calls:
        if not _TIME.fullmatch(time) or seconds(time) >= DAY_S:
            yield document.wrong("calls", time, reason=f"{time!r} is no half hour of a day", mend=half_hour)
    if not forecast.topics:
        yield document.wrong("topics", reason="there are no topics", mend="write at least one")
    for index, group in enumerate(forecast.staff):
        for name, time in (("begin", group.begin), ("end", group.end)):
            if not _TIME.fullmatch(time) or seconds(time) > DAY_S:
                yield document.wrong("staff", index, name, reason=f"{time!r} is no half hour of a day", mend=half_hour)
                return
        if seconds(group.begin) >= seconds(group.end):
            reason = f"this shift ends at {group.end}, before it begins"
            yield document.wrong("staff", index, "end", reason=reason, mend="make end the later one")
