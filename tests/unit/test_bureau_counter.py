"""A wrong PIN and an account that does not exist cost the bureau the same work, so that the time tells nothing."""

from __future__ import annotations

from typing import Any, cast

import asyncpg
import pytest

from bureau import pins
from bureau.counter import Counter
from bureau.shapes import Identity

SALT = pins.new_salt()
ACCOUNT = {"id": 1, "pin_salt": SALT, "pin_hash": pins.hashed("246810", SALT), "bound_number": None}


class Pool:
    """A database with this account, or with none."""

    def __init__(self, account: dict[str, object] | None) -> None:
        self._account = account
        self.asked = 0

    async def fetchrow(self, _query: str, _number: str) -> dict[str, object] | None:
        self.asked += 1
        return self._account

    async def execute(self, *_: object) -> None:
        self.asked += 1


@pytest.mark.parametrize("account", [ACCOUNT, None])
async def test_the_same_work_whether_there_is_an_account_or_not(
    account: dict[str, object] | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    hashes: list[str] = []
    really = pins.hashed

    def counted(pin: str, salt: bytes) -> bytes:
        hashes.append(pin)
        return really(pin, salt)

    monkeypatch.setattr(pins, "hashed", counted)
    pool = Pool(account)
    word = await Counter(cast("asyncpg.Pool[Any]", pool)).verify(Identity("id_card", "990101198509032310"), "112358")

    assert word is None
    assert hashes == ["112358"]
    assert pool.asked == 1


async def test_nobody_is_let_in_by_the_hash_of_an_account_that_does_not_exist() -> None:
    counter = Counter(cast("asyncpg.Pool[Any]", Pool(None)))

    assert await counter.verify(Identity("card", "0"), "") is None
    assert await counter.verify_by_number(Identity("card", "0"), "") is None
    # and where nothing is bound, nothing is no proof of it
    assert await Counter(cast("asyncpg.Pool[Any]", Pool(ACCOUNT))).verify_by_number(Identity("card", "0"), "") is None
