"""A write is done once, however often it is asked for: its key, and what was answered, in the transaction of the write.

    lock the key ─ who is it? ─ answered before? ──yes──> that answer, or 409 when the question was another
                                      └──no──> is the word still good? ─ do it ─ keep the answer ─ commit

So a key that comes twice at once waits for the first; one that comes after a crash finds either both, the change and its
answer, or neither. The answer is looked for before the word's end is: whoever asks again because an answer was lost must not
be told "not allowed" of a thing that is done. A refusal is an answer too and is kept, so that the first question, should it
arrive late, cannot do what the second was refused.

What was asked is kept as scrypt of it with the key as its salt: it may hold a PIN.
"""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any, TypeAlias, cast

import asyncpg

from bureau import pins
from bureau.database import AWAY, Connection
from bureau.refusals import InDoubt, KeyUsedOtherwise, NotAllowed, Unknown
from bureau.shapes import Code

KEPT_FOR = timedelta(days=7)
"""So long an answer stays; a key that comes later is new."""

Change: TypeAlias = Callable[[Connection, int], Awaitable[str]]
"""Makes the change for a citizen and returns its reference, or raises NotAllowed having changed nothing."""


def word_hash(word: str) -> bytes:
    """A word is long and by chance, so that a plain hash hides it."""
    return hashlib.sha256(word.encode()).digest()


async def once(pool: asyncpg.Pool[Any], key: str, word: str, question: str, change: Change) -> str:
    """The reference of the change, made now or before. Raises Refused; InDoubt when that is not known."""
    async with pool.acquire() as pooled:
        connection = cast("Connection", pooled)
        try:
            async with connection.transaction():
                answer = await _answer(connection, key, word, question, change)
        except AWAY as error:
            raise InDoubt from error
    if isinstance(answer, NotAllowed):
        raise answer
    return answer


async def _answer(connection: Connection, key: str, word: str, question: str, change: Change) -> str | NotAllowed:
    """A refusal is returned, not raised: raised it would roll back the row that keeps it."""
    await connection.execute("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", key)
    found = await connection.fetchrow(
        "SELECT citizen, until > clock_timestamp() AS good FROM bureau.words WHERE hash = $1", word_hash(word)
    )
    if found is None:
        raise Unknown
    citizen: int = found["citizen"]
    fingerprint = pins.hashed(f"{citizen} {question}", hashlib.sha256(key.encode()).digest())
    kept = await connection.fetchrow("SELECT fingerprint, refused, reference FROM bureau.answers WHERE key = $1", key)
    if kept is not None:
        if not pins.same(kept["fingerprint"], fingerprint):
            raise KeyUsedOtherwise
        return _told(kept["refused"], kept["reference"])
    if not found["good"]:
        raise Unknown
    refused, reference = await _do(connection, citizen, change)
    await connection.execute(
        "INSERT INTO bureau.answers (key, fingerprint, refused, reference) VALUES ($1, $2, $3, $4)",
        *(key, fingerprint, refused, reference),
    )
    return _told(refused, reference)


async def _do(connection: Connection, citizen: int, change: Change) -> tuple[Code | None, str | None]:
    await connection.execute("SELECT FROM bureau.citizens WHERE id = $1 FOR UPDATE", citizen)  # one change at a time
    try:
        return None, await change(connection, citizen)
    except NotAllowed as refusal:
        return refusal.code, None


def _told(refused: Code | None, reference: str | None) -> str | NotAllowed:
    if refused is not None:
        return NotAllowed(refused)
    assert reference is not None
    return reference


async def clear_up(pool: asyncpg.Pool[Any]) -> None:
    """Forget answers that are old, and words that have long been worth nothing."""
    await pool.execute("DELETE FROM bureau.answers WHERE at < now() - $1::interval", KEPT_FOR)
    await pool.execute("DELETE FROM bureau.words WHERE until < now() - $1::interval", KEPT_FOR)
