"""Who called before: what an adviser is reminded of while the telephone rings (重复来电提醒), read from PostgreSQL.

Never on the call path: a seat rings whether the database answers or not.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import datetime

import asyncpg
import msgspec

from calls.errors import NotPossible

LOOKED_BACK_DAYS = 30
MOST_TOLD = 20
"""Earlier calls; the newest first."""

ANSWER_S = 2.0
"""The pop is there before the first ring ends, or says that the history is not."""

EARLIER = f"""
SELECT c.call_id, c.arrived_at AS at, c.line, c.outcome, c.callback_of IS NOT NULL AS called_back,
  v.queue, v.adviser, v.outcome AS visit_outcome, v.waited_ms, v.talked_ms, r.score,
  w.category, w.topic, w.result, w.note, w.due_at,
  ARRAY(SELECT m.choice FROM menu_steps m WHERE m.call_id = c.call_id AND m.outcome = 'chosen' ORDER BY m.seq) AS chosen,
  ARRAY(SELECT s.service || ' ' || s.outcome FROM service_uses s WHERE s.call_id = c.call_id ORDER BY s.seq) AS services
FROM calls c
LEFT JOIN LATERAL (
  SELECT * FROM queue_visits q WHERE q.call_id = c.call_id ORDER BY q.answered_at IS NULL, q.entered_at DESC LIMIT 1
) v ON true
LEFT JOIN ratings r ON r.visit = v.visit
LEFT JOIN wrap_ups w ON w.visit = v.visit
WHERE c.calling_number = $1 AND c.call_id <> $2 AND c.arrived_at > now() - make_interval(days => {LOOKED_BACK_DAYS})
ORDER BY c.arrived_at DESC LIMIT {MOST_TOLD}
"""

COUNTED = f"""
SELECT
  (SELECT count(*) FROM calls WHERE calling_number = $1 AND call_id <> $2 AND callback_of IS NULL
    AND arrived_at > now() - make_interval(days => {LOOKED_BACK_DAYS})) AS calls,
  (SELECT count(*) FROM voice_messages WHERE calling_number = $1 AND left_at IS NOT NULL AND answered_at IS NULL) AS messages,
  (SELECT count(*) FROM callbacks_owed WHERE calling_number = $1 AND ended_at IS NULL) AS callbacks
"""


class Earlier(msgspec.Struct, frozen=True):
    """One earlier call of a number, UTC; what is null did not come to be. `called_back`: we called them."""

    call_id: str
    at: datetime
    line: str | None
    outcome: str | None
    called_back: bool
    queue: str | None
    adviser: str | None
    visit_outcome: str | None
    waited_ms: int | None
    talked_ms: int | None
    score: int | None
    category: str | None
    """What its adviser wrote down, as far as they have."""
    topic: str | None
    result: str | None
    note: str | None
    due_at: datetime | None
    chosen: tuple[str, ...]
    """What was chosen in the menus, by name."""
    services: tuple[str, ...]
    """What the machine did: a service's name and what came of it, as in `card_loss done`."""


class Before(msgspec.Struct, frozen=True):
    """All that is known of a number from before this call, for `LOOKED_BACK_DAYS`."""

    calls: int
    """How many, besides this one."""
    messages: int
    """Voice messages that nobody has answered yet."""
    callbacks: int
    """Calls back that are owed."""
    newest: tuple[Earlier, ...]


class Callers:
    """Reads at `dsn` (`postgresql://...`), whose role may read only."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._asking = asyncio.Semaphore(2)
        """A flood of calls is not to become one of connections."""
        self._idle: list[asyncpg.Connection[asyncpg.Record]] = []

    async def before(self, number: str, call_id: str) -> Before:
        """What was before this call. Raises NotPossible when the database does not tell in time."""
        try:
            async with asyncio.timeout(ANSWER_S), self._asking:
                while self._idle:
                    with suppress(
                        OSError, asyncpg.PostgresError, asyncpg.InterfaceError
                    ):  # the server was started anew
                        return await self._read(self._idle.pop(), number, call_id)
                return await self._read(await asyncpg.connect(self._dsn), number, call_id)
        except (TimeoutError, OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            raise NotPossible(f"PostgreSQL does not tell: {error!r}") from error

    async def close(self) -> None:
        """Let go of the connections that wait for the next question."""
        while self._idle:
            await self._idle.pop().close(timeout=ANSWER_S)

    async def _read(self, connection: asyncpg.Connection[asyncpg.Record], number: str, call_id: str) -> Before:
        whole = False
        try:
            counted = await connection.fetchrow(COUNTED, number, call_id)
            earlier = await connection.fetch(EARLIER, number, call_id)
            whole = True
        finally:
            if whole:
                self._idle.append(connection)
            else:  # who knows what it would answer next
                with suppress(Exception):
                    connection.terminate()
        assert counted is not None
        return Before(**dict(counted), newest=msgspec.convert([dict(row) for row in earlier], tuple[Earlier, ...]))
