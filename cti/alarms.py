"""Alarms that stand until what they tell is mended: raised once, cleared once, by whichever controller sees it.

What stands is kept with the journal, in one commit with its fact, so a controller that dies in an outage leaves no alarm
that nobody clears, and the next one does not raise it again. For what happens once and is never over, record an
`AlarmRaised` yourself.
"""

from __future__ import annotations

from calls.facts import AlarmCleared, AlarmRaised
from calls.ports import FactSink
from cti.store import Journal


class Alarms:
    """The standing alarms of this node."""

    def __init__(self, facts: FactSink, journal: Journal) -> None:
        self._facts, self._journal = facts, journal

    def tell(self, name: str, subject: str, trouble: str | None) -> None:
        """How `subject` is now: in trouble, in words for operations, or well (None). Costs nothing while it stays so."""
        key = f"alarm/{name}/{subject}"
        stands = self._journal.get(key, str) is not None
        if stands == (trouble is not None):
            return
        with self._journal.together():
            if trouble is None:
                self._facts.record(AlarmCleared(name=name, subject=subject))
                self._journal.forget(key)
            else:
                self._facts.record(AlarmRaised(name=name, subject=subject, detail=trouble))
                self._journal.put(key, trouble)
