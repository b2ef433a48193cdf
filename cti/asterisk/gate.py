"""The gate before the trunks: shut for a moment in a flood, when even refusing takes what talking callers need.

Asterisk refuses one call too many by itself (dialplan/), each with its row; a flood of them still costs it a channel each.
So a trunk that is refused more calls a second than the hotline begins is put in Asterisk's maintenance mode: its INVITEs are
answered 503 with Retry-After before anything is made of them. Asterisk's value is 300 s and cannot be chosen; no way was
found to put the header into a refusal by the dialplan. The gate opens as soon as there is room for a clump of calls, and
every `SHUT_S` at the latest, so it costs no call that could be carried. What it turned back is counted from Asterisk's log.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable
from typing import Literal

import msgspec
import structlog

from calls.clock import Clock, Instant, ms_between
from calls.facts import CallsTurnedBack
from calls.ports import FactSink
from cti.admission import Admission
from cti.alarms import Alarms
from cti.asterisk.config import trunk_endpoint
from cti.asterisk.console import console
from cti.asterisk.errors import Unavailable
from cti.settings import Settings
from cti.store import Journal

log = structlog.get_logger(__name__)

LOOK_EVERY_S = 0.1
SHUT_S = 2.0
"""Not longer, so that some of those who try hear the sentence and are owed a call."""
FLOOD_S = 2.0
"""More refusals than can be carried, over so long: a flood; less is a clump."""


CALM_S = 60.0
"""The alarm is over when so long nobody was turned away."""

TOO_MANY = "too_many_calls"
DETAIL = (
    "callers are turned away: those who were told so are in callbacks_owed, all of them in calls. "
    "Mend: call them back; if it lasts, more advisers, a larger machine, then larger limits in rexian.yaml."
)


class _Shut(msgspec.Struct, frozen=True):
    """A trunk that is shut: since when, and how long Asterisk's log was then."""

    since: Instant
    log_size: int


class Gate:
    """Shuts and opens the trunks of one Asterisk, and keeps operations told."""

    def __init__(
        self,
        settings: Settings,
        clock: Clock,
        facts: FactSink,
        journal: Journal,
        admission: Admission,
        refused: Callable[[], Iterable[str]],
    ) -> None:
        """`refused` tells the trunks of the calls that Asterisk itself refused since it was last asked."""
        self._clock, self._facts, self._admission, self._take_refused = clock, facts, admission, refused
        self._console = settings.run_dir / "asterisk" / "asterisk.ctl"
        self._log = settings.log_dir / "asterisk.log"
        self._flood = settings.max_calls_per_s * FLOOD_S
        self._trunks = {trunk.name: trunk.retry_after for trunk in settings.trunks}
        self._alarms = Alarms(facts, journal)
        self._refused: deque[tuple[Instant, str]] = deque()
        self._crowded = dict.fromkeys(self._trunks, clock.now())
        """When a call of each trunk was last turned away, as far as it is not calm again."""
        self._shut: dict[str, _Shut] = {}

    def turned_away(self, trunk: str) -> None:
        """A call of this trunk was one too many: operations should know while it lasts."""
        self._crowded[trunk] = self._clock.now()
        self._alarms.tell(TOO_MANY, trunk, DETAIL)

    def crowd(self, trunk: str) -> Literal["crowded", "shut"] | None:
        """Whether callers of this trunk are turned away: were lately, or all of them are at this moment."""
        if trunk in self._shut:
            return "shut"
        return "crowded" if self._alarms.stands(TOO_MANY, trunk) else None

    async def run(self, connected: asyncio.Event) -> None:
        """Look after the trunks, for ever."""
        await connected.wait()
        await self._set("off all")  # an earlier controller may have died in a flood
        while True:
            await self._look(self._clock.now())
            await asyncio.sleep(LOOK_EVERY_S)

    async def _look(self, now: Instant) -> None:
        for trunk in self._take_refused():
            self._refused.append((now, trunk))
            self.turned_away(trunk)
        while self._refused and now - self._refused[0][0] > FLOOD_S:
            self._refused.popleft()
        for trunk in [trunk for trunk, since in self._crowded.items() if now - since > CALM_S]:
            del self._crowded[trunk]
            self._alarms.tell(TOO_MANY, trunk, None)
        await self._shut_and_open(now)

    async def _shut_and_open(self, now: Instant) -> None:
        for trunk in (trunk for trunk, retry_after in self._trunks.items() if retry_after):
            room = self._admission.has_room(trunk, now)
            if shut := self._shut.get(trunk):
                if room or now - shut.since >= SHUT_S:
                    await self._open(trunk, shut)
            elif not room and sum(one == trunk for _, one in self._refused) > self._flood:
                await self._close(trunk, now)

    async def _close(self, trunk: str, now: Instant) -> None:
        size = self._log.stat().st_size if self._log.exists() else 0
        if await self._set(f"on {trunk_endpoint(trunk)}"):
            self._shut[trunk] = _Shut(now, size)
            self._refused.clear()

    async def _open(self, trunk: str, shut: _Shut) -> None:
        if not await self._set(f"off {trunk_endpoint(trunk)}"):
            return
        del self._shut[trunk]
        count = await asyncio.to_thread(self._turned_back, trunk, shut.log_size)
        shut_ms = ms_between(shut.since, self._clock.now())
        self._facts.record(CallsTurnedBack(trunk=trunk, count=count, shut_ms=shut_ms))

    async def _set(self, state: str) -> bool:
        try:
            await console(self._console, f"pjsip set maintenance {state}")
        except Unavailable as error:
            log.warning("a trunk could not be shut or opened", state=state, error=str(error))
            return False
        return True

    def _turned_back(self, trunk: str, since: int) -> int | None:
        """INVITEs that Asterisk says it turned back, from this place of its log on; None when there is no such log."""
        said = f"Endpoint '{trunk_endpoint(trunk)}' is in maintenance mode; rejecting new INVITE".encode()
        try:
            with self._log.open("rb") as file:
                file.seek(since if self._log.stat().st_size >= since else 0)  # else it was rotated meanwhile
                return sum(said in line for line in file)
        except OSError:
            return None
