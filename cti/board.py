"""The wallboard: what a whole centre looks at, made at most once in some seconds however many screens are open.

What is so at this moment comes from this controller and from Asterisk, the figures of the day from PostgreSQL, in a task of
its own and with a time limit: a database that is away takes the figures off the board and nothing else. How queues and seats
stand is not in it: the feed tells that as it changes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Literal, Protocol

import msgspec
import structlog

from calls.clock import Clock, Instant
from calls.errors import NotPossible
from cti.alarms import StandingAlarm
from cti.store.figures import Figures
from cti.trunks import TrunkNow

if TYPE_CHECKING:
    from cti.server import Controller

KEPT_S = 5.0
"""One answer is good for so long, for everybody."""

ANSWER_S = 2.0
"""A board rather says that the figures are away than shows nothing until they come."""

Part = Literal["asterisk", "journal", "postgres", "mqtt", "recordings", "business", "texts"]

log = structlog.get_logger(__name__)


class QueueExpected(msgspec.Struct, frozen=True):
    """How long whoever came last to a queue may expect to wait still, in seconds."""

    queue: str
    p50_s: float
    """Half of such callers wait less."""
    p90_s: float
    """Nine in ten do."""


class Live(msgspec.Struct, frozen=True, kw_only=True):
    """What is so at this moment, besides what the feed tells."""

    trunks: tuple[TrunkNow, ...]
    alarms: tuple[StandingAlarm, ...]
    """Those that stand."""
    away: tuple[Part, ...]
    """Parts of the hotline that do not do their work."""
    expected: tuple[QueueExpected, ...]
    """Of the queues in which somebody waits and it is known."""
    behind: int
    """Facts that are not in the database yet: while they are many, the figures are of a time that is past."""
    long_wait_s: float
    """Whoever waits longer has waited too long (the setting)."""
    time_zone: str
    """In which days and half hours are told, by its IANA name."""


class BoardNow(Live, frozen=True, kw_only=True):
    """What the wallboard shows besides the feed."""

    at: datetime
    """When it was made, UTC."""
    figures: Figures | None
    """Null: they cannot be had now."""
    why_no_figures: Literal["", "database_away", "database_slow"]


class Source(Protocol):
    """Where figures come from: `cti.store.Days`."""

    async def read(self, now: datetime) -> Figures:
        """Raises NotPossible when nobody can tell now."""
        ...


class Board:
    """One controller's."""

    def __init__(self, clock: Clock, look: Callable[[], Awaitable[Live]], days: Source) -> None:
        self._clock, self._look, self._days = clock, look, days
        self._made: tuple[Instant, BoardNow] | None = None
        self._making: asyncio.Task[BoardNow] | None = None

    async def now(self) -> BoardNow:
        """The board of this moment, or of the last `KEPT_S` seconds. Whoever asks meanwhile waits for the same one."""
        if self._made and self._clock.now() - self._made[0] < KEPT_S:
            return self._made[1]
        if self._making is None or self._making.done():
            self._making = asyncio.create_task(self._make())
        return await asyncio.shield(self._making)  # a page that goes away takes the board from nobody

    async def _make(self) -> BoardNow:
        began, at = self._clock.now(), self._clock.utc()
        live, (figures, why) = await asyncio.gather(self._look(), self._figures(at))
        board = BoardNow(**msgspec.structs.asdict(live), at=at, figures=figures, why_no_figures=why)
        self._made = began, board
        return board

    async def _figures(self, at: datetime) -> tuple[Figures | None, Literal["", "database_away", "database_slow"]]:
        try:
            async with asyncio.timeout(ANSWER_S):
                return await self._days.read(at), ""
        except TimeoutError:
            return None, "database_slow"
        except NotPossible as error:
            log.info("the board has no figures", error=str(error))
            return None, "database_away"


async def look(controller: Controller) -> Live:
    """What this controller sees. Raises nothing; asks Asterisk for no longer than `cti.asterisk.console.ANSWER_S`."""
    return Live(
        trunks=await controller.trunks.now(),
        alarms=controller.alarms.standing(),
        away=tuple(_away(controller)),
        expected=tuple(_expected(controller)),
        behind=controller.shipper.behind,
        long_wait_s=controller.settings.long_wait_s,
        time_zone=controller.settings.time_zone,
    )


def _away(controller: Controller) -> Iterator[Part]:
    parts: dict[Part, object] = {
        "asterisk": controller.node.problem,
        "journal": controller.journal.problem,
        "postgres": controller.shipper.problem,
        "mqtt": controller.bus.problem,
        "recordings": controller.recorder.problem,
        "business": controller.business and controller.business.problem,
        "texts": controller.texts_state in ("open", "half_open"),
    }
    return (part for part, problem in parts.items() if problem)


def _expected(controller: Controller) -> Iterator[QueueExpected]:
    for queue in controller.hotline.queues:
        if expected := controller.floor.expected_of_last(queue):
            yield QueueExpected(queue, round(expected.p50_s, 1), round(expected.p90_s, 1))
