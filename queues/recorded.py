"""A day that was, for the twin: the calls that came, and who was at work, from what was recorded.

What was never seen is assumed: how long somebody who was answered would have waited, and how long a conversation that never
was would have taken. Patience is exponential, with the mean that is most likely for what was seen (all waits over the number
of those who gave up, as for any censored life time); whoever was answered would have waited so much longer. A conversation
that never was is as long as one of those that were, drawn by the seed.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from calls.errors import NotPossible
from calls.words import Needs
from queues.advisers import Adviser
from queues.events import QueueRules
from queues.forecast import Day
from queues.twin import Call, Shift

PATIENT_S = 1e9
"""Of a day on which nobody gave up, nobody can say more."""


class Visit(msgspec.Struct, frozen=True):
    """Somebody came to a queue. Seconds; `at_s` from midnight."""

    at_s: float
    needs: Needs
    waited_s: float
    talked_s: float | None
    """None: was not answered."""
    gave_up: bool


class Spell(msgspec.Struct, frozen=True):
    """An adviser was at work, ready or with a caller, at whatever seat. Seconds from midnight."""

    adviser: str
    begin_s: float
    end_s: float


def recorded_day(
    visits: Sequence[Visit],
    spells: Iterable[Spell],
    advisers: Mapping[str, Adviser],
    queues: Mapping[str, QueueRules],
    wrap_up_s: float,
    seed: int,
) -> Day:
    """The same calls again, with these advisers and rules. Raises NotPossible when nobody talked, or nobody was there."""
    chance = random.Random(f"{seed}/recorded")
    talks = [visit.talked_s for visit in visits if visit.talked_s is not None]
    # A seat for each adviser: in the twin the one before may still be talking where really they had changed places.
    shifts = [
        Shift(each.adviser, each.adviser, each.begin_s, each.end_s) for each in spells if each.adviser in advisers
    ]
    if not talks or not shifts:
        raise NotPossible("on that day nobody was answered, or none of its advisers is in lines/advisers.yaml any more")
    patience_s = mean_patience_s(visits)
    calls = [
        Call(
            at_s=visit.at_s,
            needs=visit.needs,
            handling_s=chance.choice(talks) if visit.talked_s is None else visit.talked_s,
            patience_s=visit.waited_s if visit.gave_up else visit.waited_s + _exponential(chance, patience_s),
        )
        for visit in sorted(visits, key=lambda one: one.at_s)
    ]
    return Day(calls, shifts, dict(advisers), dict(queues), wrap_up_s, None)


def mean_patience_s(visits: Iterable[Visit]) -> float:
    """The most likely mean, where patience is exponential; infinite when nobody gave up."""
    told = list(visits)
    gave_up = sum(visit.gave_up for visit in told)
    return sum(visit.waited_s for visit in told) / gave_up if gave_up else math.inf


def joined(spells: Iterable[Spell]) -> list[Spell]:
    """Spells of one adviser that follow each other without a gap, or overlap, are one; those of no length are none."""
    found: list[Spell] = []
    for spell in sorted(spells, key=lambda one: (one.adviser, one.begin_s)):
        before = found[-1] if found else None
        if spell.end_s <= spell.begin_s:
            continue
        if before and before.adviser == spell.adviser and spell.begin_s <= before.end_s:
            found[-1] = msgspec.structs.replace(before, end_s=max(before.end_s, spell.end_s))
        else:
            found.append(spell)
    return found


def _exponential(chance: random.Random, mean_s: float) -> float:
    drawn = chance.random()  # drawn in any case, so that the other draws stay the same
    return PATIENT_S if math.isinf(mean_s) else -mean_s * math.log(1 - drawn)
