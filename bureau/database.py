"""The bureau's own database, with a role of its own: the hotline's roles may not even connect to it.

`prepare` is run at each start. It makes what is missing (role, database, tables, citizens) and leaves alone what is there; a
start that died half-way is finished by the next, since the citizens come in one transaction.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path
from typing import Any, TypeAlias

import asyncpg

from bureau.people import Person, generate
from bureau.pins import hashed, new_salt

NAME = "bureau"
"""Of the role, of the database and of the schema."""
SCHEMA = Path(__file__).with_name("schema.sql")
RETRY_S = 0.5
CONNECT_S = 5.0

AWAY = (
    OSError,
    TimeoutError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InterfaceError,
)
"""What a server answers, or a system says for it, while it is away, starting or stopping."""

Connection: TypeAlias = "asyncpg.Connection[Any]"


async def prepare(maker: str | None, database: str, citizens: int, today: date | None = None) -> None:
    """Wait for PostgreSQL, then make what is missing.

    `maker` is the address of somebody who may make roles and databases, who is gone again at once; None: all that is made
    already. `today` is the day for which citizens are made; None: the server's.
    """
    if maker is not None:
        await _with(maker, _make_database)
    await _with(database, _make_tables)
    await _with(database, lambda connection: _fill(connection, citizens, today))


async def _with(dsn: str, work: Callable[[Connection], Awaitable[None]]) -> None:
    """Do it on a connection of its own, as soon as there is one."""
    while True:
        try:
            connection = await asyncpg.connect(dsn, timeout=CONNECT_S)
            break
        except AWAY:
            await asyncio.sleep(RETRY_S)
    try:
        await work(connection)
    finally:
        await connection.close(timeout=CONNECT_S)


async def _make_database(connection: Connection) -> None:
    if not await connection.fetchval("SELECT true FROM pg_roles WHERE rolname = $1", NAME):
        await connection.execute(f"CREATE ROLE {NAME} LOGIN")
    if not await connection.fetchval("SELECT true FROM pg_database WHERE datname = $1", NAME):
        await connection.execute(f"CREATE DATABASE {NAME} OWNER {NAME}")
    await connection.execute(f"REVOKE ALL ON DATABASE {NAME} FROM PUBLIC")


async def _make_tables(connection: Connection) -> None:
    async with connection.transaction():
        await connection.execute("SELECT pg_advisory_xact_lock(12333)")  # two starts at once
        await connection.execute("SET LOCAL client_min_messages = warning")
        await connection.execute(SCHEMA.read_text(encoding="utf-8"))


async def _fill(connection: Connection, citizens: int, today: date | None) -> None:
    """Make the citizens, where there are none yet."""
    if await connection.fetchval("SELECT true FROM bureau.citizens LIMIT 1"):
        return
    day = today or await connection.fetchval("SELECT current_date")
    people = list(generate(citizens, day))
    with ThreadPoolExecutor() as threads:  # scrypt works outside of Python's lock
        salts = [new_salt() for _ in people]
        hashes = list(threads.map(hashed, (person.pin for person in people), salts))
    async with connection.transaction():
        await connection.execute("LOCK bureau.citizens IN EXCLUSIVE MODE")
        if await connection.fetchval("SELECT true FROM bureau.citizens LIMIT 1"):
            return
        await _copy(connection, "citizens", _citizens(people, salts, hashes))
        await _copy(connection, "events (citizen, what)", _losses(people))
        await _copy(connection, "cards", await _cards(connection, people))
        await _copy(connection, "accounts", _accounts(people))


Rows: TypeAlias = list[tuple[object, ...]]


def _citizens(people: list[Person], salts: list[bytes], hashes: list[bytes]) -> Rows:
    return [
        (
            number,
            one.name,
            one.id_number,
            one.area,
            salt,
            pin_hash,
            one.bound_number,
            one.pension_fen,
            one.pension_paid_on,
        )
        for number, (one, salt, pin_hash) in enumerate(zip(people, salts, hashes, strict=True), start=1)
    ]


def _losses(people: list[Person]) -> Rows:
    """A card that is blocked was once reported: its event is there like any other."""
    return [
        (number, "loss_reported")
        for number, one in enumerate(people, start=1)
        if one.card is not None and one.card.state == "lost"
    ]


async def _cards(connection: Connection, people: list[Person]) -> Rows:
    references = {row["citizen"]: str(row["reference"]) for row in await connection.fetch("TABLE bureau.events")}
    return [
        (
            number,
            card.number,
            card.state,
            card.ready_on,
            card.office,
            "active" if card.state == "lost" else None,
            references.get(number),
        )
        for number, one in enumerate(people, start=1)
        if (card := one.card) is not None
    ]


def _accounts(people: list[Person]) -> Rows:
    return [
        (number, account.kind, account.paying, account.months, account.base_fen, account.last_month)
        for number, one in enumerate(people, start=1)
        for account in one.accounts
    ]


async def _copy(connection: Connection, into: str, rows: Rows) -> None:
    table, _, names = into.partition(" ")
    columns = [name.strip() for name in names.strip("()").split(",")] if names else None
    await connection.copy_records_to_table(table, schema_name=NAME, columns=columns, records=rows)
