"""`rexian db`: the database."""

from __future__ import annotations

import asyncio

from cti.commands.plain import as_daemon, group, plainly, tell

commands = group("数据库 The database.")


@commands.command("migrate")
@plainly
def database_migrate() -> None:
    """Bring the database up to date; the controller does so itself when it starts."""
    from cti.store import migrate

    settings = as_daemon()
    asyncio.run(migrate(settings.postgres_dsn("rexian"), settings.time_zone))
    tell("ok")
