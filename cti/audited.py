"""`rexian account audit`: the audit log in PostgreSQL, held against its seals and against the newest one that was written."""

from __future__ import annotations

import asyncio

import asyncpg

from calls.errors import NotPossible
from calls.facts import Audited
from cti import secrets
from cti.control import AskAudit, ask
from cti.desk.audit import Head, broken
from cti.settings import Settings

SHIPPED_S = 5.0
"""The newest entries are on their way for so long at most, when all is well."""

ENTRIES = "SELECT number, at, did, account, about, address, seal FROM audit WHERE node = $1 ORDER BY number"
NEWEST = "SELECT coalesce(max(number), 0) FROM audit WHERE node = $1"


async def verify(settings: Settings) -> str:
    """What to tell of a log that is whole. Raises NotPossible with what is wrong, or when it cannot be told."""
    key = secrets.load_or_create(settings.secrets_path, settings.seats).audit
    head = await ask(settings.control_socket, AskAudit(), Head)
    try:
        connection = await asyncpg.connect(settings.postgres_dsn("rexian_read"), timeout=5)
    except (OSError, asyncpg.PostgresError) as error:
        raise NotPossible(f"PostgreSQL does not answer: {error}. Mend: rexian status says what is wrong.") from error
    try:
        for _ in range(round(SHIPPED_S * 10)):
            if await connection.fetchval(NEWEST, settings.node) >= head.number:
                break
            await asyncio.sleep(0.1)
        rows = await connection.fetch(ENTRIES, settings.node)
    finally:
        await connection.close()
    entries = [Audited(**dict(row)) for row in rows]
    if wrong := broken(entries, head, key):
        raise NotPossible(f"the audit log was changed: {wrong}. Mend: hold the table audit against a backup.")
    return f"{len(entries)} entries, whole"
