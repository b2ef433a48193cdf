"""Alarms that stand until what they tell is mended: raised once, cleared once, by whichever controller sees it.

What stands is kept with the journal, in one commit with its fact, so a controller that dies in an outage leaves no alarm
that nobody clears, and the next one does not raise it again. For what happens once and is never over, record an
`AlarmRaised` yourself.
"""

from __future__ import annotations

import msgspec

from calls.facts import AlarmCleared, AlarmRaised
from calls.ports import FactSink
from cti.store import Journal

KEPT = "alarm/"


class StandingAlarm(msgspec.Struct, frozen=True):
    """An alarm that is not over."""

    name: str
    subject: str
    detail: str
    """In words, for operations."""


class Alarms:
    """The standing alarms of this node."""

    def __init__(self, facts: FactSink, journal: Journal) -> None:
        self._facts, self._journal = facts, journal

    def tell(self, name: str, subject: str, trouble: str | None) -> None:
        """How `subject` is now: in trouble, in words for operations, or well (None). Costs nothing while it stays so."""
        key = f"{KEPT}{name}/{subject}"
        if self.stands(name, subject) == (trouble is not None):
            return
        with self._journal.together():
            if trouble is None:
                self._facts.record(AlarmCleared(name=name, subject=subject))
                self._journal.forget(key)
            else:
                self._facts.record(AlarmRaised(name=name, subject=subject, detail=trouble))
                self._journal.put(key, trouble)

    def stands(self, name: str, subject: str) -> bool:
        """Whether this alarm is not over."""
        return self._journal.get(f"{KEPT}{name}/{subject}", str) is not None

    def standing(self) -> tuple[StandingAlarm, ...]:
        """Those of all who tell by this journal, by name and subject."""
        kept = self._journal.find(KEPT, str)
        named = ((*key.removeprefix(KEPT).partition("/"), detail) for key, detail in sorted(kept.items()))
        return tuple(StandingAlarm(name, subject, detail) for name, _, subject, detail in named)
