"""What is done for a citizen, in the words of the contract. Reads ask the database; writes go through `once`.

A wrong PIN and an account that does not exist cost the same work and get the same answer. To add an operation: a method
here, its shapes in shapes.py, its route in web.py, then `python -m bureau.contract`.
"""

from __future__ import annotations

import asyncio
import secrets
from datetime import timedelta
from typing import Any

import asyncpg

from bureau import pins
from bureau.database import Connection
from bureau.numbers import PIN_LENGTH, easily_guessed
from bureau.once import once, word_hash
from bureau.people import Account, contributions
from bureau.places import OFFICES
from bureau.refusals import NotAllowed, Unknown
from bureau.shapes import KINDS, Card, Contribution, Identity, Insurance, Office, Pension

GOOD_FOR = timedelta(minutes=10)
"""How long a word names its citizen."""
WORD_BYTES = 32
IN_HAND = ("issued", "active", "lost")
"""States in which the citizen knows the card's number and may be known by it."""

BY_IDENTITY = {
    "id_card": "SELECT id, pin_salt, pin_hash, bound_number FROM bureau.citizens WHERE id_number = upper($1)",
    "card": "SELECT id, pin_salt, pin_hash, bound_number FROM bureau.citizens JOIN bureau.cards ON citizen = id "
    f"WHERE number = $1 AND state IN {IN_HAND}",
}


class Counter:
    """The counter of the bureau, on a pool of connections to its database."""

    def __init__(self, pool: asyncpg.Pool[Any]) -> None:
        self._pool = pool

    # --- who it is

    async def verify(self, identity: Identity, pin: str) -> str | None:
        """A word for whoever has this account and this PIN."""
        found = await self._pool.fetchrow(BY_IDENTITY[identity.kind], identity.number)
        salt = found["pin_salt"] if found else pins.NOBODY
        given = await asyncio.to_thread(pins.hashed, pin, salt)
        right = pins.same(given, found["pin_hash"] if found else bytes(len(given)))
        return await self._word(found["id"]) if found and right else None

    async def bound_number(self, identity: Identity) -> str | None:
        """E.164; None when nothing is bound, or there is no such account."""
        found = await self._pool.fetchrow(BY_IDENTITY[identity.kind], identity.number)
        return found["bound_number"] if found else None

    async def verify_by_number(self, identity: Identity, number: str) -> str | None:
        """A word for whoever has proved to the hotline that they hold the number that is bound."""
        found = await self._pool.fetchrow(BY_IDENTITY[identity.kind], identity.number)
        bound = (found["bound_number"] if found else None) or ""
        right = pins.same(bound.encode(), number.encode())
        return await self._word(found["id"]) if found and bound and right else None

    async def _word(self, citizen: int) -> str:
        word = secrets.token_urlsafe(WORD_BYTES)
        await self._pool.execute(
            "INSERT INTO bureau.words VALUES ($1, $2, now() + $3::interval)", word_hash(word), citizen, GOOD_FOR
        )
        return word

    async def _citizen(self, word: str) -> int:
        found: int | None = await self._pool.fetchval(
            "SELECT citizen FROM bureau.words WHERE hash = $1 AND until > now()", word_hash(word)
        )
        if found is None:
            raise Unknown
        return found

    # --- what they may know

    async def card(self, word: str) -> Card | None:
        """Their card; None: they have none."""
        row = await self._pool.fetchrow("SELECT * FROM bureau.cards WHERE citizen = $1", await self._citizen(word))
        return Card(row["state"], row["number"][-4:], row["ready_on"], row["office"]) if row else None

    async def insurances(self, word: str) -> list[Insurance]:
        """Their accounts, in the order of the kinds."""
        return [
            Insurance(one.kind, one.paying, one.months, one.balance_fen, one.last_paid_fen, one.last_month)
            for one in await self._accounts(word)
        ]

    async def pension(self, word: str) -> Pension | None:
        """None: not retired."""
        row = await self._pool.fetchrow(
            "SELECT pension_fen, pension_paid_on FROM bureau.citizens WHERE id = $1", await self._citizen(word)
        )
        return Pension(row["pension_fen"], row["pension_paid_on"]) if row and row["pension_fen"] else None

    async def contributions(self, word: str, year: int) -> list[Contribution]:
        """All that was paid in that year."""
        return contributions(tuple(await self._accounts(word)), year)

    async def _accounts(self, word: str) -> list[Account]:
        rows = await self._pool.fetch("SELECT * FROM bureau.accounts WHERE citizen = $1", await self._citizen(word))
        accounts = [
            Account(row["kind"], row["paying"], row["months"], row["base_fen"], row["last_month"]) for row in rows
        ]
        return sorted(accounts, key=lambda one: KINDS.index(one.kind))

    def offices(self, area: str) -> list[Office]:
        """Those of the area, the nearest first."""
        return [office for office in OFFICES if office.area == area]

    # --- what they may change

    async def report_loss(self, word: str, key: str) -> str:
        """Block the card; one that is blocked already stays so, with its reference."""
        return await once(self._pool, key, word, "report_loss", _report_loss)

    async def undo_loss(self, word: str, key: str) -> str:
        """Unblock it: it is what it was before."""
        return await once(self._pool, key, word, "undo_loss", _undo_loss)

    async def activate_card(self, word: str, key: str) -> str:
        """From issued to active."""
        return await once(self._pool, key, word, "activate_card", _activate_card)

    async def reset_pin(self, word: str, pin: str, key: str) -> str:
        """Another PIN."""

        async def change(connection: Connection, citizen: int) -> str:
            return await _reset_pin(connection, citizen, pin)

        return await once(self._pool, key, word, f"reset_pin {pin}", change)


async def _report_loss(connection: Connection, citizen: int) -> str:
    card = await _card(connection, citizen)
    if card["state"] == "lost":
        reference: str = card["loss_reference"]
        return reference
    if card["state"] not in IN_HAND:
        raise NotAllowed("not_in_this_state")
    reference = await _event(connection, citizen, "loss_reported")
    await connection.execute(
        "UPDATE bureau.cards SET state = 'lost', before_loss = state, loss_reference = $2 WHERE citizen = $1",
        *(citizen, reference),
    )
    return reference


async def _undo_loss(connection: Connection, citizen: int) -> str:
    if (await _card(connection, citizen))["state"] != "lost":
        raise NotAllowed("not_in_this_state")
    await connection.execute(
        "UPDATE bureau.cards SET state = before_loss, before_loss = NULL, loss_reference = NULL WHERE citizen = $1",
        citizen,
    )
    return await _event(connection, citizen, "loss_undone")


async def _activate_card(connection: Connection, citizen: int) -> str:
    if (await _card(connection, citizen))["state"] != "issued":
        raise NotAllowed("not_in_this_state")
    await connection.execute("UPDATE bureau.cards SET state = 'active' WHERE citizen = $1", citizen)
    return await _event(connection, citizen, "card_activated")


async def _reset_pin(connection: Connection, citizen: int, pin: str) -> str:
    if not (len(pin) == PIN_LENGTH and pin.isascii() and pin.isdecimal()):
        raise NotAllowed("not_six_digits")
    known = await connection.fetchrow(
        "SELECT id_number, coalesce(number, '') FROM bureau.citizens LEFT JOIN bureau.cards ON citizen = id WHERE id = $1",
        citizen,
    )
    assert known is not None
    if easily_guessed(pin, *known):
        raise NotAllowed("too_easily_guessed")
    salt = pins.new_salt()
    await connection.execute(
        "UPDATE bureau.citizens SET pin_salt = $2, pin_hash = $3 WHERE id = $1", citizen, salt, pins.hashed(pin, salt)
    )
    return await _event(connection, citizen, "pin_reset")


async def _card(connection: Connection, citizen: int) -> asyncpg.Record:
    card: asyncpg.Record | None = await connection.fetchrow("SELECT * FROM bureau.cards WHERE citizen = $1", citizen)
    if card is None:
        raise NotAllowed("no_card")
    return card


async def _event(connection: Connection, citizen: int, what: str) -> str:
    """Its reference."""
    made = await connection.fetchval(
        "INSERT INTO bureau.events (citizen, what) VALUES ($1, $2) RETURNING reference", citizen, what
    )
    return str(made)
