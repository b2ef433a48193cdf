"""One line, probed: the person first, the branches beside that; those that end where a seat may ring come after it.

So the person is asked for by a caller who competes with no other of ours.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import UTC, datetime

import msgspec

from calls.errors import RexianError
from calls.words import FIRST_LANGUAGE
from cti.probe.person import PATIENCE_S, TRIES, reach
from cti.probe.report import Person, ProbeReport, Walked
from cti.probe.walking import NUMBERS, Probing, numbers, take
from cti.settings import Settings
from ivr.line import Line
from ivr.walks import Walk, to_person, walks
from prompts.hearing import Clips


class Wishes(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be probed, and how gently."""

    branches: bool = True
    person: bool = True
    at_once: int = 20
    """Calls."""
    ringing: int = 2
    """Calls where a seat may ring."""
    patience_s: float = PATIENCE_S
    tries: int = TRIES
    calling_numbers: str = NUMBERS


async def probe(settings: Settings, line: Line, wishes: Wishes) -> ProbeReport:
    """Call the line. Raises NotPossible when its prompts are not built, PhoneFailed when there is no baresip."""
    spoken = {FIRST_LANGUAGE, line.language, *(offered.language for offered in line.languages.values())}
    probing = Probing(
        server=f"{settings.host}:{settings.sip_port}",
        clips=Clips.load(settings.prompts_dir, spoken),
        at_once=asyncio.Semaphore(wishes.at_once),
        ringing=asyncio.Semaphore(wishes.ringing),
        numbers=numbers(wishes.calling_numbers),
    )
    try:
        return await _probe(line, probing, wishes)
    except ExceptionGroup as failures:
        if ours := failures.subgroup(RexianError):
            raise _first(ours) from None
        raise


async def _probe(line: Line, probing: Probing, wishes: Wishes) -> ProbeReport:
    at = datetime.now(UTC)
    found = walks(line, at)
    chosen = found.walks if wishes.branches else []
    quiet, ringing = ([one for one in chosen if one.rings is rings] for rings in (False, True))
    async with asyncio.TaskGroup() as group:
        early = group.create_task(_take(quiet, line, probing))
        reached = await _reach(line, at, probing, wishes)
        late = group.create_task(_take(ringing, line, probing))
    return ProbeReport(
        line=line.number,
        version=line.version,
        at=at,
        calling_numbers=wishes.calling_numbers,
        walked=(*early.result(), *late.result()),
        not_now=tuple(found.not_now) if wishes.branches else (),
        person=reached,
    )


async def _reach(line: Line, at: datetime, probing: Probing, wishes: Wishes) -> Person | None:
    way = to_person(line, at) if wishes.person else None
    return await reach(way, line, probing, wishes.patience_s, wishes.tries) if way else None


async def _take(chosen: Iterable[Walk], line: Line, probing: Probing) -> list[Walked]:
    async with asyncio.TaskGroup() as group:
        calls = [group.create_task(take(one, line, probing)) for one in chosen]
    return [call.result() for call in calls]


def _first(group: BaseException) -> BaseException:
    """The first failure of ours, however deep."""
    return _first(group.exceptions[0]) if isinstance(group, BaseExceptionGroup) else group
