"""Voice messages that are to be answered: kept from the moment they are left until somebody says that they are answered.

Each was promised to a citizen for a day; the day over, an alarm stands until it is answered. Like everything that was
promised it is kept with the journal, so it outlives every controller and needs no database.
"""

from __future__ import annotations

import asyncio

import structlog

from calls.clock import Clock
from calls.errors import NotPossible
from calls.facts import VoiceMessageAnswered, VoiceMessageLeft
from calls.ports import FactSink
from cti.alarms import Alarms
from cti.store import Journal

log = structlog.get_logger(__name__)

OVERDUE = "voice_message_overdue"
"""Alarm: a citizen was promised an answer by now."""

LOOK_EVERY_S = 60.0


class Messages:
    """Those that nobody has answered."""

    def __init__(self, facts: FactSink, journal: Journal, clock: Clock) -> None:
        self._facts, self._journal, self._clock = facts, journal, clock
        self._alarms = Alarms(facts, journal)
        self._open = {left.message: left for left in journal.find("message/", VoiceMessageLeft).values()}

    def __len__(self) -> int:
        return len(self._open)

    def left(self, fact: VoiceMessageLeft) -> None:
        """A citizen left it: from now on it is owed an answer."""
        with self._journal.together():
            self._facts.record(fact)
            self._journal.put(f"message/{fact.message}", fact)
            self._open[fact.message] = fact

    def open(self) -> list[VoiceMessageLeft]:
        """What is to be answered, the most pressing first."""
        return sorted(self._open.values(), key=lambda left: left.due_at)

    def answered(self, message: str, adviser: str) -> None:
        """The citizen has their answer. Raises NotPossible when no such message is open."""
        left = self._open.get(message)
        if left is None:
            known = ", ".join(one.message for one in self.open()[:5]) or "none"
            raise NotPossible(f"no voice message {message} waits for an answer; those that do: {known}")
        with self._journal.together():
            self._facts.record(VoiceMessageAnswered(call_id=left.call_id, message=message, adviser=adviser))
            self._journal.forget(f"message/{message}")
            self._alarms.tell(OVERDUE, message, None)
            del self._open[message]

    @property
    def overdue(self) -> int:
        """How many were to be answered before now."""
        now = self._clock.utc()
        return sum(left.due_at <= now for left in self._open.values())

    async def watch(self) -> None:
        """Raise an alarm for each that nobody answered in time, for ever."""
        while True:
            now = self._clock.utc()
            for left in self._open.values():
                if left.due_at <= now:
                    mend = f"Mend: answer it, then rexian message answered {left.message} --adviser NUMBER."
                    self._alarms.tell(
                        OVERDUE, left.message, f"was promised an answer by {left.due_at:%F %T} UTC. {mend}"
                    )
            await asyncio.sleep(LOOK_EVERY_S)
