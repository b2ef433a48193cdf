"""Bringing a database up to date: Alembic's versions, then the views, then the rights of the reading role.

Migrations go forward only; the way back is a backup. Views are text in `views/`, made anew by every run, so a changed
view needs no migration, except where a column changes its name or type, or a table's column goes: then the migration
drops the view first. To make a migration: change tables.py, then `python -m cti.store.schema "what changes"` writes
the version's first draft against an empty database whose address stands in REXIAN_DRAFT_DSN.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

import asyncpg
from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from calls.errors import NotPossible

T = TypeVar("T")

HERE = Path(__file__).parent
VIEWS = ("half_hours", "seat_spells", "expected_waits", "lending", "satisfaction", "conservation_violations")
"""In the order in which they are made: one may read those before it."""

READER = "rexian_read"

CONNECT_TIMEOUT = timedelta(seconds=5)
SILENCE_TIMEOUT = timedelta(seconds=5)
"""The server ends a session that says nothing in the middle of a transaction: its controller is gone, its locks are not."""

LOOK_TIMEOUT = timedelta(seconds=30)
"""For all that is done to a database that is up to date; one that needs longer is away."""

MIGRATION_TIMEOUT = timedelta(minutes=30)
"""For a migration: building an index over years of facts takes its time."""

FORESEEN = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)
"""What a server, a connection that is cut, or asyncpg in the middle of that may answer with."""

_ONE_AT_A_TIME = 12333
"""Advisory lock: two controllers that start together migrate one after the other."""


END_SILENT_HOLDER = (
    "SELECT pg_terminate_backend(pid) FROM pg_locks JOIN pg_stat_activity USING (pid) "
    "WHERE locktype = 'advisory' AND objid = :lock AND granted AND usename = current_user "
    "AND wait_event = 'ClientRead' AND state_change < clock_timestamp() - CAST(:silent AS interval)"
)


async def migrate(dsn: str, time_zone: str = "Asia/Shanghai") -> None:
    """Bring the database at `dsn` up to date; does nothing to one that is. Raises NotPossible with the mend."""
    if not await _on(dsn, LOOK_TIMEOUT, _is_at_head):
        await _on(dsn, MIGRATION_TIMEOUT, _upgrade)
    await _on(dsn, LOOK_TIMEOUT, lambda connection: _finish(connection, time_zone))


async def draft(dsn: str, message: str) -> None:
    """Write the first draft of the version that makes the database at `dsn` equal to tables.py."""

    def write(connection: Connection) -> None:
        config = _config(connection)
        command.upgrade(config, "head")
        number = len(list((HERE / "migrations" / "versions").glob("v*.py"))) + 1
        command.revision(config, message=message, autogenerate=True, rev_id=f"{number:04}")

    await _on(dsn, MIGRATION_TIMEOUT, write)


async def _on(dsn: str, limit: timedelta, work: Callable[[Connection], T]) -> T:
    """Do it in one transaction. After `limit` the connection is cut: to give up politely would wait for the server."""
    loop = asyncio.get_running_loop()
    session = {"idle_in_transaction_session_timeout": f"{SILENCE_TIMEOUT.total_seconds():.3f}s"}
    cuts: list[asyncio.TimerHandle] = []

    async def connect() -> asyncpg.Connection:
        connection = await asyncpg.connect(dsn, timeout=CONNECT_TIMEOUT.total_seconds(), server_settings=session)
        cuts.append(loop.call_later(limit.total_seconds(), connection.terminate))
        return connection

    engine = create_async_engine("postgresql+asyncpg://", async_creator=connect, poolclass=NullPool)
    try:
        async with engine.begin() as connection:
            return await connection.run_sync(work)
    except (*FORESEEN, SQLAlchemyError) as error:
        late = any(loop.time() >= cut.when() for cut in cuts)
        reason = "no answer in time" if late or isinstance(error, TimeoutError) else str(error)
        raise NotPossible(
            f"the database cannot be brought up to date: {reason}. "
            "Mend: see that PostgreSQL (15 or newer) runs and that the controller's role owns the database."
        ) from error
    finally:
        for cut in cuts:
            cut.cancel()
        await engine.dispose()


def _take_turn(connection: Connection) -> None:
    """Wait for the lock, and end whoever holds it and is silent: its controller is gone.

    The server's own limit does not see one that waits for the rest of a message.
    """
    while True:
        connection.execute(text(END_SILENT_HOLDER), {"lock": _ONE_AT_A_TIME, "silent": SILENCE_TIMEOUT})
        if connection.scalar(text("SELECT pg_try_advisory_xact_lock(:lock)"), {"lock": _ONE_AT_A_TIME}):
            return
        connection.exec_driver_sql("SELECT pg_sleep(0.2)")


def _is_at_head(connection: Connection) -> bool:
    context = MigrationContext.configure(connection)
    return set(context.get_current_heads()) == set(ScriptDirectory.from_config(_config(connection)).get_heads())


def _upgrade(connection: Connection) -> None:
    _take_turn(connection)
    command.upgrade(_config(connection), "head")


def _finish(connection: Connection, time_zone: str) -> None:
    _take_turn(connection)
    connection.execute(
        text("INSERT INTO local_time (zone) VALUES (:zone) ON CONFLICT (one) DO UPDATE SET zone = excluded.zone"),
        {"zone": time_zone},
    )
    for view in VIEWS:
        for statement in (HERE / "views" / f"{view}.sql").read_text(encoding="utf-8").split(";\n"):
            if statement.strip():
                connection.exec_driver_sql(statement)
    known = connection.scalar(text("SELECT count(*) FROM pg_roles WHERE rolname = :reader"), {"reader": READER})
    if known:
        connection.exec_driver_sql(f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {READER}")


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(HERE / "migrations"))
    config.set_main_option("file_template", "v%%(rev)s_%%(slug)s")
    config.attributes["connection"] = connection
    return config


if __name__ == "__main__":
    asyncio.run(draft(os.environ["REXIAN_DRAFT_DSN"], " ".join(sys.argv[1:])))
