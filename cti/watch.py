"""Following one call as it happens: its facts, and the passing moments that are no facts (a menu begins, a key is awaited).

`rexian call` and the desk look on through here. Nobody looking costs nothing, and a slow onlooker loses moments, never
holds up a call.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

from calls.facts import AnyFact, CallArrived, CallRefused
from cti.phone.plan import AwaitingKey, MenuStarted, Observation
from cti.store import Journal

LAG_ALLOWED = 1000
"""Moments that an onlooker may lag behind; one call makes some 20."""


class Watch:
    """Records facts in the journal and shows them, with moments, to whoever follows the call."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._sip_call_ids: dict[str, str] = {}
        self._onlookers: dict[str, list[asyncio.Queue[Observation]]] = {}

    def record(self, fact: AnyFact) -> None:
        """Stamp the fact now and keep it. Never blocks and never raises."""
        stamped = self._journal.record(fact)
        if self._onlookers:
            if isinstance(fact, CallArrived | CallRefused):
                self._sip_call_ids[fact.call_id] = fact.sip_call_id
            self._show(getattr(fact, "call_id", ""), stamped)

    def moment(self, call_id: str, moment: MenuStarted | AwaitingKey) -> None:
        """Show a passing moment."""
        self._show(call_id, moment)

    async def follow(self, sip_call_id: str, begun: Callable[[], None]) -> AsyncIterator[Observation]:
        """What happens in the call with this SIP Call-ID, from now on; `begun` is called once nothing can be missed."""
        queue: asyncio.Queue[Observation] = asyncio.Queue(LAG_ALLOWED)
        self._onlookers.setdefault(sip_call_id, []).append(queue)
        begun()
        try:
            while True:
                yield await queue.get()
        finally:
            self._onlookers[sip_call_id].remove(queue)
            if not self._onlookers[sip_call_id]:
                del self._onlookers[sip_call_id]
            if not self._onlookers:
                self._sip_call_ids.clear()

    def _show(self, call_id: str, seen: Observation) -> None:
        for queue in self._onlookers.get(self._sip_call_ids.get(call_id, ""), ()):
            if not queue.full():
                queue.put_nowait(seen)
