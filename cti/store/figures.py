"""How today goes, beside yesterday and the same weekday last week: what the wallboard shows, read from PostgreSQL.

Each caller counts once, in the half hour in which the call arrived, and as it stood at the instant asked about: of yesterday
at the same time of day, calls that were still waiting then are waiting. The view `half_hours` counts visits to queues where
they were entered, so it differs by those who went on in another queue, were passed on, or were sent back by a lost seat.
It is not read here, since a day of it cannot be had by an index: this is read every few seconds, on tables that keep years.

Never on the call path.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal, get_args
from zoneinfo import ZoneInfo

import asyncpg
import msgspec

from calls.errors import NotPossible

WITHIN_S = 30.0
"""The service level of the ministry's class 1, as the twin has it."""

SESSION = {"default_transaction_read_only": "on", "statement_timeout": "2s"}
"""A question that nobody waits for any more is not to go on at the server."""

Span = Literal["today", "yesterday", "last_week"]
BACK: dict[Span, int] = {"today": 0, "yesterday": 1, "last_week": 7}
"""Days."""

COUNTED = """
WITH spans AS (
  SELECT * FROM unnest($1::text[], $2::timestamptz[], $3::timestamptz[]) AS spans (span, begins, until)
), arrived AS (
  SELECT span, begins, until, call_id, arrived_at, CASE WHEN ended_at < until THEN outcome END AS outcome
  FROM spans JOIN calls ON arrived_at >= begins AND arrived_at < until
  WHERE callback_of IS NULL
), came AS (
  SELECT span, call_id, min(entered_at) AS entered_at,
    coalesce(bool_or(outcome = 'answered' AND answered_at < until), false) AS answered,
    (array_agg(waited_ms ORDER BY answered_at) FILTER (WHERE outcome = 'answered' AND answered_at < until))[1] AS waited_ms,
    coalesce(bool_or(outcome IN ('abandoned_waiting', 'abandoned_ringing') AND left_at < until), false) AS gave_up,
    bool_or(left_at IS NULL OR left_at >= until) AS waits
  FROM spans JOIN queue_visits ON entered_at >= begins AND entered_at < until
  GROUP BY span, call_id
)
SELECT span, date_bin('30 minutes', arrived_at, begins) AS begins,
  count(*) AS arrivals,
  count(*) FILTER (WHERE outcome = 'machine') AS machine,
  count(*) FILTER (WHERE outcome IN ('abandoned_hold', 'abandoned_notice', 'abandoned_menu')) AS left_early,
  count(came.call_id) AS offered,
  count(*) FILTER (WHERE answered) AS answered,
  count(*) FILTER (WHERE gave_up AND NOT answered) AS abandoned,
  count(*) FILTER (WHERE answered AND waited_ms <= $4::bigint) AS in_time,
  count(*) FILTER (WHERE waits AND NOT answered AND until - entered_at <= make_interval(secs => $4 / 1000.0)) AS undecided,
  coalesce(sum(waited_ms) FILTER (WHERE answered), 0)::bigint AS waited_ms
FROM arrived LEFT JOIN came USING (span, call_id)
GROUP BY span, 2 ORDER BY span, 2
"""


class HalfHour(msgspec.Struct, frozen=True):
    """The callers who arrived in one half hour of today."""

    begins: str
    """Local time, as `09:30`."""
    offered: int
    answered: int
    abandoned: int


class DaySoFar(msgspec.Struct, frozen=True, kw_only=True):
    """A day from midnight to one time of day, as it stood then. Each caller counts once; calls of ours to citizens do not."""

    day: date
    arrivals: int
    """Rows of `calls` that are no attempt of ours to call back: `callback_of` is null."""
    machine: int
    """Of these, with `calls.outcome` = `machine`: ended after the machine had served them."""
    left_early: int
    """Of the arrivals, with `calls.outcome` = `abandoned_hold`, `abandoned_notice` or `abandoned_menu`: before any queue."""
    offered: int
    """Of the arrivals, those with a row in `queue_visits`: offered to a queue."""
    answered: int
    """Of the offered, those with `queue_visits.outcome` = `answered`: spoke to an adviser."""
    abandoned: int
    """Of the offered, those whom nobody answered, with `queue_visits.outcome` = `abandoned_waiting` or `abandoned_ringing`."""
    in_time: int
    """Of the answered, those with `queue_visits.waited_ms` of no more than `within_s`, for their first conversation."""
    undecided: int
    """Of the offered, those who still wait, and no longer than `within_s`: they may yet be answered in time."""
    wait_mean_s: float | None
    """Mean of `queue_visits.waited_ms` of the answered, for their first conversation, in seconds: the average speed of answer.
    Null: none was answered."""

    @property
    def decided(self) -> int:
        """Of whom it is known whether they were answered in time."""
        return self.offered - self.undecided


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """Today so far, and two days to hold against it."""

    at: datetime
    """Of what instant they are, UTC."""
    within_s: float
    """Whoever is answered within so long is answered in time, seconds."""
    today: DaySoFar
    yesterday: DaySoFar
    last_week: DaySoFar
    """The same weekday."""
    service_level: float | None
    """及时率, of today: `in_time` / (`offered` - `undecided`), from 0 to 1. It is the strict one of the field's formulas:
    whoever gave up counts as missed, however soon. Null: nobody was offered."""
    half_hours: tuple[HalfHour, ...]
    """Of today; those in which nobody arrived are left out."""


class Days:
    """Reads at `dsn` (`postgresql://...`), whose role may read only. Days are those of `zone`."""

    def __init__(self, dsn: str, zone: ZoneInfo) -> None:
        self._dsn, self._zone = dsn, zone

    async def read(self, now: datetime) -> Figures:
        """Everything up to `now`, by a connection of its own. Raises NotPossible when the database does not tell."""
        try:
            connection = await asyncpg.connect(self._dsn, server_settings=SESSION)
            try:
                return await read(connection, now, self._zone)
            finally:
                connection.terminate()  # to say goodbye would be to wait for an answer
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            raise NotPossible(f"PostgreSQL does not tell: {error!r}") from error


async def read(connection: asyncpg.Connection[asyncpg.Record], now: datetime, zone: ZoneInfo) -> Figures:
    """Everything up to `now`, with the days of `zone`."""
    spans = {span: _span(now, back, zone) for span, back in BACK.items()}
    begins, until = zip(*spans.values(), strict=True)
    rows = await connection.fetch(COUNTED, list(spans), list(begins), list(until), round(WITHIN_S * 1000))
    days = {
        span: _day(spans[span][0].astimezone(zone).date(), [row for row in rows if row["span"] == span])
        for span in get_args(Span)
    }
    today: DaySoFar = days["today"]
    return Figures(
        at=now,
        within_s=WITHIN_S,
        **days,
        service_level=today.in_time / today.decided if today.decided else None,
        half_hours=tuple(
            HalfHour(
                f"{row['begins'].astimezone(zone):%H:%M}",
                *(row[name] for name in ("offered", "answered", "abandoned")),
            )
            for row in rows
            if row["span"] == "today"
        ),
    )


def _span(now: datetime, back: int, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """The day so many days ago from its midnight to the same time of day, UTC."""
    local = now.astimezone(zone)
    day = local.date() - timedelta(days=back)
    until = datetime.combine(day, local.time(), zone) if back else now
    return datetime.combine(day, time(), zone).astimezone(UTC), until.astimezone(UTC)


def _day(day: date, rows: Sequence[asyncpg.Record]) -> DaySoFar:
    counted = {
        name: sum(row[name] for row in rows)
        for name in ("arrivals", "machine", "left_early", "offered", "answered", "abandoned", "in_time", "undecided")
    }
    waited_ms = sum(row["waited_ms"] for row in rows)
    mean_s = round(waited_ms / counted["answered"] / 1000, 1) if counted["answered"] else None
    return DaySoFar(day=day, **counted, wait_mean_s=mean_s)
