"""The database as others find it: built by the migrations, equal to the tables in code, explained, readable by one role."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import asyncpg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from calls.errors import NotPossible
from cti.store import migrate, schema
from cti.store.schema import VIEWS
from cti.store.tables import metadata
from tests.postgres import OWNER, READER, Cluster
from tests.proxy import Proxy

PUBLIC_FACE = {
    "calls",
    "queue_visits",
    "seat_states",
    "menu_steps",
    "recordings",
    "ratings",
    "callbacks_owed",
    "callback_attempts",
    "facts",
}
DOCS = Path(__file__).parents[2] / "docs"


@asynccontextmanager
async def connected(dsn: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(dsn, timeout=10, command_timeout=10)
    try:
        yield connection
    finally:
        await connection.close(timeout=10)


async def test_the_migrations_build_what_the_tables_say(database: str) -> None:
    def differences(connection: Connection) -> list[object]:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        return list(compare_metadata(context, metadata))

    engine = create_async_engine(
        "postgresql+asyncpg://", async_creator=lambda: asyncpg.connect(database, timeout=10), poolclass=NullPool
    )
    async with engine.connect() as connection:
        assert await connection.run_sync(differences) == []
    await engine.dispose()


def test_the_public_face_is_there() -> None:
    assert set(metadata.tables) >= PUBLIC_FACE
    assert {"conservation_violations", "half_hours"} <= set(VIEWS)


async def test_two_controllers_may_migrate_at_once_and_again(empty_database: str, cluster: Cluster) -> None:
    async with asyncio.TaskGroup() as group:
        for _ in range(3):
            group.create_task(migrate(empty_database))
    await migrate(empty_database, "Asia/Urumqi")
    async with connected(empty_database) as connection:
        assert await connection.fetchval("SELECT zone FROM local_time") == "Asia/Urumqi"
        assert await connection.fetchval("SELECT count(*) FROM alembic_version") == 1


@pytest.mark.parametrize("after", [0, 500, 3000, 6000])
async def test_a_server_that_falls_silent_is_given_up_in_time(
    database: str, cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    for limit in ("CONNECT_TIMEOUT", "SILENCE_TIMEOUT", "LOOK_TIMEOUT"):
        monkeypatch.setattr(schema, limit, timedelta(milliseconds=500))
    port = ".s.PGSQL.5432"
    through = database.replace(str(cluster.folder), str(tmp_path))
    async with Proxy(tmp_path / port, cluster.folder / port) as proxy:
        await proxy.swallow(after)
        with pytest.raises(NotPossible, match="no answer in time"):
            await migrate(through)
        await proxy.pass_on()
        monkeypatch.undo()
        await migrate(through)


async def test_everything_explains_itself_to_whoever_sits_at_psql(database: str) -> None:
    async with connected(database) as connection:
        silent = await connection.fetch(
            """
            SELECT c.relname, a.attname FROM pg_class c
            JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = 'public'
            LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND c.relkind = 'r'
            WHERE c.relkind IN ('r', 'v') AND c.relname <> 'alembic_version'
              AND (obj_description(c.oid) IS NULL OR c.relkind = 'r' AND col_description(c.oid, a.attnum) IS NULL)
            """
        )
    assert [tuple(row) for row in silent] == []


async def test_the_reading_role_reads_all_and_writes_nothing(database: str) -> None:
    async with connected(database.replace(f"//{OWNER}@", f"//{READER}@")) as connection:
        for name in (*metadata.tables, *VIEWS):
            await connection.fetch(f"SELECT * FROM {name} LIMIT 1")
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute("DELETE FROM facts")


async def test_no_server_is_told_with_the_mend(tmp_path: Path) -> None:
    with pytest.raises(NotPossible, match=r"the database cannot be brought up to date: .* Mend: see that PostgreSQL"):
        await migrate(f"postgresql://rexian@/rexian?host={tmp_path}")


def test_the_documentation_names_every_table_view_and_column_of_the_public_face() -> None:
    documented = (DOCS / "sql.md").read_text(encoding="utf-8")
    names = [*metadata.tables, *VIEWS]
    assert [name for name in names if f"`{name}`" not in documented] == []
