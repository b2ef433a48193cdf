"""Whether there is somebody to answer: alarms about an open line with too few advisers, and about too long a wait.

Both stand until they are over, and are told of by name of the line or the queue.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from calls.clock import Clock
from cti.alarms import Alarms
from cti.floor import Floor
from cti.hotline import Hotline
from cti.settings import Settings

TOO_FEW, LONG_WAIT = "too_few_advisers", "long_wait"

LOOKED_EVERY_S = 1.0

SEATS_RETURN_S = 10.0
"""The telephones, and with them those who sit there, come back within some seconds of a start: no alarm before."""


class Staffing:
    """Watches the floor for the hotline files of the moment."""

    def __init__(
        self, settings: Settings, clock: Clock, floor: Floor, alarms: Alarms, hotline: Callable[[], Hotline]
    ) -> None:
        self._least, self._longest_s = settings.least_advisers, settings.long_wait_s
        self._clock, self._floor, self._alarms, self._hotline = clock, floor, alarms, hotline

    async def run(self, connected: asyncio.Event) -> None:
        """Look for ever, from some seconds after this controller took over."""
        await connected.wait()
        await asyncio.sleep(SEATS_RETURN_S)
        while True:
            self.look()
            await asyncio.sleep(LOOKED_EVERY_S)

    def look(self) -> None:
        """Raise and clear what is to be at this moment."""
        engine, hotline, utc = self._floor.engine, self._hotline(), self._clock.utc()
        present = sum(seat.adviser is not None for seat in engine.seats())
        for line in hotline.lines.values():
            few = present < self._least and line.is_open(utc)
            self._alarms.tell(TOO_FEW, line.number, self._too_few(present) if few else None)
        for name in hotline.queues:
            on_the_line = (one.since for one in engine.waiting(name) if not one.away)
            longest_s = self._clock.now() - min(on_the_line, default=self._clock.now())
            self._alarms.tell(LONG_WAIT, name, self._long_wait(longest_s) if longest_s > self._longest_s else None)

    def _too_few(self, present: int) -> str:
        return f"the line is open, {present} advisers are signed in, {self._least} at least must be. Mend: call somebody in."

    def _long_wait(self, longest_s: float) -> str:
        return f"somebody has waited for {longest_s:.0f} s. Mend: more advisers for this queue, or needs that relax sooner."
