"""The way to a person, tried as the ministry's mystery callers try it, and its class.

Class 1: connected within 30 s; 2: later; 3: not after several tries; 4: no service, since the hotline takes no call at all.
The seconds count from when a person was asked for until the adviser's number is said: what the notice and the menus take
before is told beside them, and is the same for every caller.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from cti.phone.script import Script
from cti.phone.walk import walk
from cti.phone.walkreport import WalkReport
from cti.probe.report import Person, ServiceClass, Try
from cti.probe.walking import LONGEST_S, Probing, script
from ivr.line import Line
from ivr.walks import REACHED, Walk

SOON_S = 30.0
"""The ministry's bound between class 1 and class 2."""

TRIES = 3
PATIENCE_S = 120.0
"""For a person, once asked for: six provinces of 2015 were slower."""


async def reach(way: Walk, line: Line, probing: Probing, patience_s: float = PATIENCE_S, tries: int = TRIES) -> Person:
    """Call until a person is reached, `tries` times at most. The call ends when the adviser's number is being said."""
    steps, _ = script(way, probing.clips)
    steps[-1] = msgspec.structs.replace(steps[-1], within_s=patience_s)
    made: list[Try] = []
    while len(made) < tries and not (made and made[-1].waited_s is not None):
        async with probing.at_once, probing.ringing:
            plan = probing.plan(line, LONGEST_S + patience_s)
            made.append(tried(await walk(plan, Script(tuple(steps)), probing.clips), len(steps)))
    return Person(tries=tuple(made), service_class=service_class(made))


def tried(report: WalkReport, steps: int) -> Try:
    """One call, of so many steps, the last of which waits for a person."""
    waiting = report.steps[-1] if len(report.steps) == steps else None
    reached = waiting is not None and waiting.heard is not None and REACHED in waiting.heard.keys
    return Try(
        answered=report.connected_ms is not None,
        asked_s=(waiting.at_ms - waiting.took_ms) / 1000 if waiting else None,
        waited_s=waiting.took_ms / 1000 if waiting and reached else None,
        heard=report.heard[-1].keys[0] if report.heard else "",
    )


def service_class(tries: Sequence[Try]) -> ServiceClass:
    """The ministry's class."""
    reached = [one.waited_s for one in tries if one.waited_s is not None]
    if reached:
        return 1 if reached[0] <= SOON_S else 2
    return 3 if any(one.answered for one in tries) else 4
