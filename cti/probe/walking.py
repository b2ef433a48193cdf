"""The walks of a line as calls, many at once, none of them in anybody's way.

Each call shows a number of its own that nobody has and nobody can be called back at: figures leave them out by its beginning,
no place is kept for them, and they do not count as one caller who rings again and again. Where a seat may ring, few of
them are at once, and each hangs up as soon as it has heard what it came for.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Collection, Iterator
from itertools import count

import msgspec

from calls.words import FIRST_LANGUAGE, Language
from cti.phone.plan import CallPlan
from cti.phone.script import ANY, Script, ScriptStep
from cti.phone.walk import Turn, walk
from cti.phone.walkreport import WalkReport
from cti.probe.report import Walked
from ivr.line import Line
from ivr.walks import QUEUE, Stop, Walk
from prompts.hearing import Clips

NUMBERS = "100000"
"""A number of China begins otherwise: these can be written in E.164, and are nobody's."""

LONGEST_S = 240.0
"""A walk that lasts longer has lost its way."""

NOT_A_SERVICE = frozenset({"fault", "key.wrong", "key.missing", "key.three_tries", "interrupted"})
"""Heard in place of a service, these say that it was not there."""


class Probing(msgspec.Struct, frozen=True):
    """How calls are placed."""

    server: str
    clips: Clips
    at_once: asyncio.Semaphore
    """Calls."""
    ringing: asyncio.Semaphore
    """Calls where a seat may ring."""
    numbers: Iterator[str]

    def plan(self, line: Line, max_s: float = LONGEST_S) -> CallPlan:
        """The next call to the line, from the next number."""
        return CallPlan(to=line.number, server=self.server, calling_number=next(self.numbers), max_s=max_s)


def numbers(prefix: str = NUMBERS) -> Iterator[str]:
    """Calling numbers one after the other, from anywhere: two probes within minutes do not show the same."""
    first = secrets.randbelow(100_000)
    return (f"{prefix}{(first + step) % 100_000:05d}" for step in count())


async def take(walk_: Walk, line: Line, probing: Probing) -> Walked:
    """One walk, as soon as there is room for its call. Raises PhoneFailed when there is no baresip or it died."""
    steps, rings_at = script(walk_, probing.clips)
    turn = Turn(probing.ringing, rings_at) if rings_at is not None else None
    async with probing.at_once:
        report = await walk(probing.plan(line), Script(tuple(steps)), probing.clips, turn)
    return judged(walk_, report, line, probing.clips)


def script(walk_: Walk, clips: Clips) -> tuple[list[ScriptStep], int | None]:
    """The walk as a script, and the step from which on a seat may ring: before its key is pressed."""
    steps: list[ScriptStep] = []
    rings_at: int | None = None
    for stop in walk_.stops:
        if stop.rings and rings_at is None:
            rings_at = len(steps)
        if stop.key:
            steps.append(ScriptStep(key=stop.key))
        steps.append(_hears(stop, clips))
    return steps, rings_at


def _hears(stop: Stop, clips: Clips) -> ScriptStep:
    spoken = stop.language and _spoken(stop.hears, stop.language, clips)
    return ScriptStep(hear=_heard_of(stop, clips) or ANY, language=spoken, passing=stop.passing)


def _heard_of(stop: Stop, clips: Clips) -> tuple[str, ...]:
    """Those of its sentences that can be recognised; none where it is some service's, or said in a line's own words."""
    return tuple(key for key in stop.hears if key in clips.keys)


def _spoken(keys: Collection[str], language: Language, clips: Clips) -> Language:
    """The language in which these are said to whoever chose `language`: zh-CN, where it lacks them."""
    has = any(not set(keys).isdisjoint(clip.keys) for clip in clips.clips if clip.language == language)
    return language if has else FIRST_LANGUAGE


def judged(walk_: Walk, report: WalkReport, line: Line, clips: Clips) -> Walked:
    """What the walk has reached. Some service is known by saying what is none of the line's own words."""
    heard = [step.heard for step in report.steps if not step.keyed]
    own = (
        NOT_A_SERVICE
        | {line.welcome, line.notice.prompt}
        | {menu.prompt for menu in line.menus.values() if menu.prompt}
    )
    right = report.completed
    reached: list[str] = []
    for place, (stop, sentence) in enumerate(zip(walk_.stops, heard, strict=False)):
        is_there = sentence is not None and (report.completed or place < len(heard) - 1)
        if not _heard_of(stop, clips) and sentence and not own.isdisjoint(sentence.keys):
            is_there = right = False
        if stop.leaf and is_there:
            reached.append(stop.leaf)
    last = heard[-1] if heard else None
    wanted = walk_.stops[max(0, len(heard) - 1)].hears
    return Walked(
        name=walk_.name,
        right=right,
        reason=report.reason if report.reason or right else "other_words",
        wanted="queue.*" if wanted == QUEUE else " / ".join(wanted),
        heard=last.keys[0] if last else "",
        lasted_s=report.lasted_ms / 1000,
        reached=tuple(reached),
        missed=tuple(leaf for leaf in walk_.leaves if leaf not in reached),
        sip_call_id=report.sip_call_id,
    )
