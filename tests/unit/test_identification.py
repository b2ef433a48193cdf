"""How often somebody may try to be somebody: by call, by account, by calling number; and what sounds the same."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import cast
from zoneinfo import ZoneInfo

import pytest

from calls.clock import Instant, SystemClock
from cti.identification import TRIES_A_CALL, TRIES_A_DAY, CallersIdentity, Tries
from cti.store import Journal
from ivr.business import Business, Citizen, Identity, NotAvailable

ACCOUNT = Identity("id_card", "990101195003070014")
OTHER = Identity("id_card", "990101195003070022")
PIN, WRONG = "246810", "111222"


class Bureau:
    """One account with one PIN; counts how often it was asked."""

    def __init__(self) -> None:
        self.asked = 0
        self.away = False
        self.thinking = asyncio.Event()
        self.thinking.set()

    async def verify(self, identity: Identity, pin: str) -> Citizen | None:
        await self.thinking.wait()
        if self.away:
            raise NotAvailable("away")
        self.asked += 1
        return "citizen" if (identity, pin) == (ACCOUNT, PIN) else None


class Calendar(SystemClock):
    """Today is what the test says."""

    day = 23

    def utc(self) -> datetime:
        return datetime(2026, 11, self.day, 2, 0, tzinfo=UTC)

    def now(self) -> Instant:
        return Instant(0.0)


class Site:
    def __init__(self, folder: Path) -> None:
        self.path, self.clock, self.bureau = folder / "journal.db", Calendar(), Bureau()
        self.journal = Journal(self.path, "node", self.clock)

    def call(self, number: str | None = "+8613800000001") -> CallersIdentity:
        tries = Tries(self.journal, self.clock, ZoneInfo("Asia/Shanghai"), "secret")
        return CallersIdentity(cast(Business, self.bureau), tries, number)


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


async def guess(site: Site, times: int, identity: Identity = ACCOUNT) -> None:
    """Wrong PINs, each from a number of its own."""
    for caller in range(times):
        assert await site.call(f"+86139{caller:08}").verify(identity, WRONG) is None


async def test_who_keys_what_is_right_is_known_from_then_on(site: Site) -> None:
    call = site.call()
    assert (call.known, call.tries_left) == (None, TRIES_A_CALL)
    assert await call.verify(ACCOUNT, PIN) == "citizen"
    assert call.known == "citizen"


async def test_a_right_try_is_none_that_counts(site: Site) -> None:
    for _ in range(3 * TRIES_A_DAY):
        assert await site.call().verify(ACCOUNT, PIN) == "citizen"


async def test_an_account_is_shut_for_the_day_whoever_guesses_from_wherever(site: Site) -> None:
    await guess(site, TRIES_A_DAY)
    assert await site.call().verify(ACCOUNT, PIN) is None
    site.clock.day += 1
    assert await site.call().verify(ACCOUNT, PIN) == "citizen"


async def test_a_hundred_numbers_at_once_have_five_tries_together(site: Site) -> None:
    site.bureau.thinking.clear()
    calls = [site.call(f"+86139{caller:08}") for caller in range(100)]
    guesses = [asyncio.create_task(call.verify(ACCOUNT, WRONG if at < 99 else PIN)) for at, call in enumerate(calls)]
    await asyncio.sleep(0)
    site.bureau.thinking.set()
    assert await asyncio.gather(*guesses) == [None] * 100


async def test_a_number_is_shut_for_the_day_whatever_accounts_it_tries(site: Site) -> None:
    for at in range(TRIES_A_DAY):
        assert await site.call().verify(Identity("card", f"6217000000{at:06}"), WRONG) is None
    assert await site.call().verify(ACCOUNT, PIN) is None
    assert await site.call("+8613800000002").verify(ACCOUNT, PIN) == "citizen"


async def test_a_withheld_number_shuts_out_nobody_else(site: Site) -> None:
    for at in range(2 * TRIES_A_DAY):
        assert await site.call(None).verify(Identity("card", f"6217000000{at:06}"), WRONG) is None
    assert await site.call(None).verify(ACCOUNT, PIN) == "citizen"


async def test_what_is_not_let_through_is_asked_all_the_same_so_that_it_takes_as_long(site: Site) -> None:
    await guess(site, TRIES_A_DAY)
    asked = site.bureau.asked
    await site.call().verify(ACCOUNT, PIN)
    await site.call().verify(OTHER, PIN)
    assert site.bureau.asked == asked + 2


async def test_a_system_that_is_away_costs_no_try(site: Site) -> None:
    site.bureau.away = True
    call = site.call()
    for _ in range(2 * TRIES_A_DAY):
        with pytest.raises(NotAvailable):
            await call.verify(ACCOUNT, PIN)
    assert call.tries_left == TRIES_A_CALL
    site.bureau.away = False
    assert await call.verify(ACCOUNT, PIN) == "citizen"


async def test_a_hang_up_in_the_middle_is_a_try(site: Site) -> None:
    site.bureau.thinking.clear()
    for caller in range(TRIES_A_DAY):
        asking = asyncio.create_task(site.call(f"+86139{caller:08}").verify(ACCOUNT, WRONG))
        await asyncio.sleep(0)
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
    site.bureau.thinking.set()
    assert await site.call().verify(ACCOUNT, PIN) is None


async def test_the_next_controller_goes_on_counting_and_the_journal_names_nobody(site: Site) -> None:
    await guess(site, TRIES_A_DAY)
    await site.journal.close()
    kept = (
        site.path.read_bytes() + site.path.with_name(f"{site.path.name}-wal").read_bytes()
        if site.path.with_name(f"{site.path.name}-wal").exists()
        else site.path.read_bytes()
    )
    assert b"tries/" in kept
    for secret in (ACCOUNT.number, WRONG, "+86139"):
        assert secret.encode() not in kept
    site.journal = Journal(site.path, "node", site.clock)
    assert await site.call().verify(ACCOUNT, PIN) is None
