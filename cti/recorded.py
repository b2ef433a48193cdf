"""A day of this hotline from PostgreSQL, for `rexian twin --recorded`: its callers, and who was at work."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import asyncpg
import msgspec

from calls.errors import NotPossible
from calls.facts import QueueEntered
from calls.words import Needs
from cti.settings import Settings
from queues.recorded import Spell, Visit, joined

VISITS = """
SELECT f.at, f.body, v.outcome, v.waited_ms, v.talked_ms
FROM facts f JOIN queue_visits v ON v.visit = f.body->>'visit' JOIN calls c ON c.call_id = f.call_id
WHERE f.kind = 'queue_entered' AND f.at >= $1 AND f.at < $2 AND c.callback_of IS NULL AND NOT v.returned
AND v.left_at IS NOT NULL ORDER BY f.at
"""
"""First visits only: who was sent back by a lost seat, or went on in another queue by overflow, came once."""

AT_WORK = """
SELECT adviser, greatest(since, $1) AS since, least(coalesce(until, $2), $2) AS until FROM seat_spells
WHERE adviser IS NOT NULL AND state NOT IN ('logged_out', 'not_ready') AND since < $2 AND coalesce(until, $2) > $1
"""

GAVE_UP = ("abandoned_waiting", "abandoned_ringing")


async def read_day(settings: Settings, day: date) -> tuple[list[Visit], list[Spell]]:
    """Raises NotPossible when the database does not answer, or nobody called on that day."""
    begin = datetime.combine(day, time(), settings.zone)
    end = datetime.combine(day + timedelta(days=1), time(), settings.zone)
    try:
        connection = await asyncpg.connect(settings.postgres_dsn("rexian_read"), timeout=5)
    except (OSError, asyncpg.PostgresError) as error:
        raise NotPossible(f"PostgreSQL does not answer: {error}. Mend: rexian status says what is wrong.") from error
    try:
        visits, spells = await read(connection, begin.astimezone(UTC), end.astimezone(UTC))
    finally:
        await connection.close()
    if not visits:
        raise NotPossible(f"on {day} nobody came to a queue. Mend: name a day with calls, as 2026-11-27.")
    return visits, spells


async def read(connection: asyncpg.Connection, begin: datetime, end: datetime) -> tuple[list[Visit], list[Spell]]:
    """From one instant to another, in seconds from the first."""
    visits = [
        _visit((at - begin).total_seconds(), body, outcome, waited_ms, talked_ms)
        for at, body, outcome, waited_ms, talked_ms in await connection.fetch(VISITS, begin, end)
    ]
    spells = [
        Spell(adviser, (since - begin).total_seconds(), (until - begin).total_seconds())
        for adviser, since, until in await connection.fetch(AT_WORK, begin, end)
    ]
    return visits, joined(spells)


def _visit(at_s: float, body: str, outcome: str, waited_ms: int, talked_ms: int | None) -> Visit:
    entered = msgspec.json.decode(body, type=QueueEntered)
    needs = Needs(
        entered.skills,
        entered.queue,
        language=entered.language,
        site=entered.site,
        preferred=entered.preferred,
        urgency=entered.urgency,
    )
    talked_s = talked_ms / 1000 if outcome == "answered" and talked_ms is not None else None
    return Visit(at_s, needs, waited_ms / 1000, talked_s, outcome in GAVE_UP)
