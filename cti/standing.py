"""How seats and queues stand, told to the bus and to the desks: at once when something moved, and all together."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterable
from datetime import datetime, timedelta

from calls.clock import Clock
from cti.bus import Publisher, QueueNow, SeatNow
from cti.bus.messages import State
from queues import Engine

TOLD_EVERY_S = 0.1
"""Forty seats that move at once are one look at the floor, not forty."""


class Standing:
    """Publishes a seat when it has moved, and every queue of the hotline files of the moment."""

    def __init__(
        self,
        clock: Clock,
        publishers: Collection[Publisher],
        engine: Callable[[], Engine],
        queues: Callable[[], Iterable[str]],
    ) -> None:
        self._clock, self._publishers, self._engine, self._queues = clock, publishers, engine, queues
        self._began = clock.now()
        self._moved = asyncio.Event()
        self._told: dict[str, tuple[object, ...]] = {}

    def moved(self) -> None:
        """Something on the floor is not as it was."""
        self._moved.set()

    async def run(self, connected: asyncio.Event) -> None:
        """Tell for ever; not before this controller has taken over: until then it does not know who sits where."""
        await connected.wait()
        while True:
            self._moved.clear()
            now, utc = self._clock.now(), self._clock.utc()
            self._tell_seats(now, utc)
            self._tell_queues(now, utc)
            await asyncio.sleep(TOLD_EVERY_S)
            await self._moved.wait()

    def _tell_seats(self, now: float, utc: datetime) -> None:
        for seat in self._engine().seats():
            moved = (seat.state, seat.adviser, seat.since, seat.reason)
            if self._told.get(seat.number) == moved:
                continue
            self._told[seat.number] = moved
            since = utc - timedelta(seconds=now - max(self._began, seat.since))
            since = since.replace(microsecond=0)
            told = SeatNow(state=seat.state, adviser=seat.adviser, since=since, reason=seat.reason)
            self._publish(f"seat/{seat.number}", told)

    def _tell_queues(self, now: float, utc: datetime) -> None:
        for name in self._queues():
            everybody = self._engine().waiting(name)
            waiting = [one for one in everybody if not one.away]
            stands = QueueNow(
                waiting=len(waiting),
                longest_wait_ms=max((round((now - one.since) * 1000) for one in waiting), default=0),
                callbacks=len(everybody) - len(waiting),
                updated_at=utc,
            )
            self._publish(f"queue/{name}", stands)

    def _publish(self, suffix: str, value: State) -> None:
        for publisher in self._publishers:
            publisher.state(suffix, value)
