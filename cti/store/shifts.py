"""What one adviser did today, for that adviser to see, read from PostgreSQL. Never on the call path."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

import asyncpg
import msgspec

from calls.errors import NotPossible
from cti.store.figures import SESSION

ANSWER_S = 2.0
"""A page rather says that there are none than waits."""

AT_ONCE = 2
"""A whole shift that comes from its break is not to become as many connections."""

DONE = """
WITH talks AS (
  SELECT count(*) AS conversations, sum(talked_ms) AS talked_ms, sum(held_ms) AS held_ms
  FROM queue_visits WHERE adviser = $1 AND answered_at >= $2 AND answered_at < $3
), spells AS (
  SELECT state, extract(epoch FROM least(coalesce(next.since, $3), $3) - greatest(moved.since, $2)) AS lasted_s
  FROM seat_states AS moved LEFT JOIN LATERAL (
    SELECT since FROM seat_states AS later
    WHERE later.seat = moved.seat AND (later.since, later.node, later.seq) > (moved.since, moved.node, moved.seq)
    ORDER BY later.since, later.node, later.seq LIMIT 1
  ) AS next ON true
  WHERE adviser = $1 AND moved.since >= $2 - interval '1 day' AND moved.since < $3 AND state IN ('ready', 'wrap_up')
), states AS (
  SELECT coalesce(sum(lasted_s) FILTER (WHERE state = 'ready'), 0) AS ready_s,
    coalesce(sum(lasted_s) FILTER (WHERE state = 'wrap_up'), 0) AS wrap_up_s
  FROM spells WHERE lasted_s > 0
), rated AS (
  SELECT count(score) AS ratings, avg(score) AS rating_mean FROM ratings WHERE adviser = $1 AND at >= $2 AND at < $3
), missed AS (
  SELECT count(*) AS missed FROM facts
  WHERE kind = 'seat_did_not_answer' AND at >= $2 AND at < $3 AND body->>'adviser' = $1
)
SELECT conversations::int, coalesce(talked_ms, 0)::float8 / 1000 AS talked_s, coalesce(held_ms, 0)::float8 / 1000 AS held_s,
  wrap_up_s::float8, ready_s::float8, missed::int, ratings::int, rating_mean::float8
FROM talks, states, rated, missed
"""


class Shift(msgspec.Struct, frozen=True, kw_only=True):
    """What one adviser did from midnight to `at`. Durations are seconds; what is going on counts once it is over, but the
    present spell of being ready or in wrap-up."""

    at: datetime
    """Of what instant it is, UTC."""
    conversations: int
    """Rows of `queue_visits` that the adviser answered: with callers, and with citizens whom we called."""
    talked_s: float
    """Sum of their `talked_ms`, time on hold included."""
    held_s: float
    """Sum of their `held_ms`."""
    wrap_up_s: float
    """In state `wrap_up` (`seat_states`), at whichever seats."""
    ready_s: float
    """In state `ready`: waiting for a call."""
    missed: int
    """Facts `seat_did_not_answer`: the seat rang in vain."""
    ratings: int
    """Points that callers gave (`ratings.score`)."""
    rating_mean: float | None
    """Their mean, 1 to 5; null: nobody gave any."""


class Shifts:
    """Reads at `dsn` (`postgresql://...`), whose role may read only. Days are those of `zone`."""

    def __init__(self, dsn: str, zone: ZoneInfo) -> None:
        self._dsn, self._zone = dsn, zone
        self._asking = asyncio.Semaphore(AT_ONCE)

    async def read(self, adviser: str, now: datetime) -> Shift:
        """The day of this adviser up to `now`. Raises NotPossible when the database does not tell, TimeoutError when not in
        time."""
        try:
            async with asyncio.timeout(ANSWER_S), self._asking:
                connection = await asyncpg.connect(self._dsn, server_settings=SESSION)
                try:
                    return await read(connection, adviser, now, self._zone)
                finally:
                    connection.terminate()  # to say goodbye would be to wait for an answer
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            if isinstance(error, TimeoutError):  # an OSError, too
                raise
            raise NotPossible(f"PostgreSQL does not tell: {error!r}") from error


async def read(connection: asyncpg.Connection[asyncpg.Record], adviser: str, now: datetime, zone: ZoneInfo) -> Shift:
    """The day of this adviser up to `now`, which began at midnight in `zone`."""
    midnight = datetime.combine(now.astimezone(zone).date(), time(), zone).astimezone(UTC)
    row = await connection.fetchrow(DONE, adviser, midnight, now)
    assert row is not None
    return Shift(at=now, **dict(row))
