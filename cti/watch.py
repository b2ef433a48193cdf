"""Following one call as it happens: its facts, and the passing moments that are no facts (a menu begins, a key is awaited).

`rexian call` and the desk look on through here. Nobody looking costs a call nothing but a list entry a fact; a slow
onlooker loses moments, never holds up a call. An onlooker who comes late is told first what happened so far.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from datetime import datetime

from calls.facts import AnyFact, CallArrived, CallEnded, CallRefused, Stamped
from calls.moments import AwaitingKey, MenuStarted, Observation
from cti.store import Journal

LAG_ALLOWED = 1000
"""Observations that an onlooker may lag behind; one call makes some 20."""

ENDED_KEPT = 200
"""Stories of ended calls still told to whoever asks late: a refused call is over before anybody can ask."""


class _Story:
    """One call so far, and who looks on."""

    def __init__(self, sip_call_id: str) -> None:
        self.sip_call_id = sip_call_id
        self.facts: list[Stamped] = []
        self.onlookers: list[asyncio.Queue[Observation]] = []

    def show(self, seen: Observation) -> None:
        for queue in self.onlookers:
            if not queue.full():
                queue.put_nowait(seen)


class Watch:
    """Records facts in the journal and shows them, with moments, to whoever follows the call."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._by_call: dict[str, _Story] = {}
        self._by_sip_call_id: dict[str, _Story] = {}
        self._ended: deque[str] = deque()

    def record(self, fact: AnyFact, at: datetime | None = None) -> None:
        """Stamp the fact, with now or the time `at` (UTC), and keep it. Never blocks and never raises."""
        stamped = self._journal.record(fact, at)
        if isinstance(fact, CallArrived | CallRefused):
            self._by_call[fact.call_id] = self._story(fact.sip_call_id)
        if story := self._by_call.get(getattr(fact, "call_id", "")):
            story.facts.append(stamped)
            story.show(stamped)
        if isinstance(fact, CallEnded):
            self._retire(fact.call_id)

    def resume(self, call_id: str, sip_call_id: str) -> None:
        """A call that an earlier controller recorded goes on; what it told before is in the journal, not here."""
        self._by_call[call_id] = self._story(sip_call_id)

    def moment(self, call_id: str, moment: MenuStarted | AwaitingKey) -> None:
        """Show a passing moment."""
        if story := self._by_call.get(call_id):
            story.show(moment)

    async def follow(self, sip_call_id: str, begun: Callable[[], None]) -> AsyncIterator[Observation]:
        """All that happened and happens in the call with this SIP Call-ID; `begun` is called when nothing can be missed."""
        story = self._story(sip_call_id)
        queue: asyncio.Queue[Observation] = asyncio.Queue(LAG_ALLOWED)
        for stamped in story.facts:
            queue.put_nowait(stamped)
        story.onlookers.append(queue)
        begun()
        try:
            while True:
                yield await queue.get()
        finally:
            story.onlookers.remove(queue)
            if not story.facts and not story.onlookers:  # a call that never came
                self._by_sip_call_id.pop(sip_call_id, None)

    def _story(self, sip_call_id: str) -> _Story:
        return self._by_sip_call_id.setdefault(sip_call_id, _Story(sip_call_id))

    def _retire(self, call_id: str) -> None:
        if story := self._by_call.pop(call_id, None):
            self._ended.append(story.sip_call_id)
        if len(self._ended) > ENDED_KEPT:
            self._by_sip_call_id.pop(self._ended.popleft(), None)
