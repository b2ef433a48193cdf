"""How often somebody may try to be somebody: by call, by account, by calling number; and what sounds the same."""

from __future__ import annotations

import asyncio
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import cast
from zoneinfo import ZoneInfo

import pytest

from calls.clock import Instant, SystemClock
from cti.identification import BEAT_S, CODE_GOOD_FOR_S, TRIES_A_CALL, TRIES_A_DAY, CallersIdentity, Tries
from cti.store import Journal
from ivr.business import Business, Citizen, Identity, NotAvailable
from tests.fakes.texts import FakeTexts

ACCOUNT = Identity("id_card", "990101195003070014")
OTHER = Identity("id_card", "990101195003070022")
PIN, WRONG = "246810", "111222"
NUMBER = "+8613800000009"


class Bureau:
    """One account with one PIN; counts how often it was asked."""

    def __init__(self, clock: Calendar) -> None:
        self.asked = 0
        self.clock, self.takes_s = clock, 0.0
        self.away = False
        self.thinking = asyncio.Event()
        self.thinking.set()

    async def verify(self, identity: Identity, pin: str) -> Citizen | None:
        await self.thinking.wait()
        if self.away:
            raise NotAvailable("away")
        self.asked += 1
        self.clock.seconds += self.takes_s
        return "citizen" if (identity, pin) == (ACCOUNT, PIN) else None

    async def bound_number(self, identity: Identity) -> str | None:
        await self.thinking.wait()
        if self.away:
            raise NotAvailable("away")
        self.asked += 1
        self.clock.seconds += self.takes_s
        return NUMBER if identity == ACCOUNT else None

    async def verify_by_number(self, identity: Identity, number: str) -> Citizen | None:
        if self.away:
            raise NotAvailable("away")
        return "citizen" if (identity, number) == (ACCOUNT, NUMBER) else None


class Calendar(SystemClock):
    """Today is what the test says."""

    day = 23
    seconds = 0.0

    def utc(self) -> datetime:
        return datetime(2026, 11, self.day, 2, 0, tzinfo=UTC)

    def now(self) -> Instant:
        return Instant(self.seconds)


class Site:
    def __init__(self, folder: Path) -> None:
        self.path, self.clock = folder / "journal.db", Calendar()
        self.bureau = Bureau(self.clock)
        self.texts = FakeTexts()
        self.journal = Journal(self.path, "node", self.clock)

    def call(self, number: str | None = "+8613800000001") -> CallersIdentity:
        tries = Tries(self.journal, self.clock, ZoneInfo("Asia/Shanghai"), "secret")
        business = cast(Business, self.bureau)
        return CallersIdentity(business, tries, self.texts, self.clock, "call-1", number, self.rest)

    async def rest(self, seconds: float) -> None:
        self.clock.seconds += seconds


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


@pytest.mark.parametrize("takes_s", [0.003, 0.12, BEAT_S - 0.001], ids=["soon", "later", "late"])
@pytest.mark.parametrize(("identity", "pin"), [(ACCOUNT, PIN), (ACCOUNT, WRONG), (OTHER, PIN)])
@pytest.mark.parametrize("shut", [False, True])
async def test_every_answer_comes_with_the_beat(
    site: Site, shut: bool, identity: Identity, pin: str, takes_s: float
) -> None:
    """Whatever the system needs for it, and whatever becomes of it."""
    if shut:
        await guess(site, TRIES_A_DAY)
    site.bureau.takes_s, began = takes_s, site.clock.now()
    await site.call().verify(identity, pin)
    assert site.clock.now() - began == pytest.approx(BEAT_S)
    await site.call().send_code(identity, "zh-CN")
    assert site.clock.now() - began == pytest.approx(2 * BEAT_S)


async def test_a_right_try_is_taken_back_though_the_caller_hangs_up_while_its_answer_waits(site: Site) -> None:
    async def hangs_up(seconds: float) -> None:
        raise asyncio.CancelledError

    for _ in range(2 * TRIES_A_DAY):
        call = site.call()
        call._rest = hangs_up
        with pytest.raises(asyncio.CancelledError):
            await call.verify(ACCOUNT, PIN)
    assert await site.call().verify(ACCOUNT, PIN) == "citizen"


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


# --- by a code


def code_sent(site: Site) -> str:
    """What stands on the citizen's telephone."""
    [code] = re.findall(r"\d{6}", site.texts.inbox[NUMBER][-1])
    return str(code)


def other(code: str) -> str:
    return f"{(int(code) + 1) % 10**6:06}"


async def test_who_keys_the_code_that_was_sent_is_known_from_then_on(site: Site) -> None:
    call = site.call()
    await call.send_code(ACCOUNT, "zh-CN")
    assert call.known is None
    assert await call.verify_code(code_sent(site)) == "citizen"
    assert call.known == "citizen"
    assert await call.bound_number() == NUMBER
    [text] = site.texts.secrets
    assert (text.about, text.whose, text.number, site.texts.queued) == ("code", "bound", NUMBER, [])


async def test_codes_are_six_digits_and_no_two_are_the_same(site: Site) -> None:
    codes = []
    for _ in range(30):
        call = site.call()
        await call.send_code(ACCOUNT, "zh-CN")
        codes.append(code_sent(site))
        assert await call.verify_code(codes[-1]) == "citizen"
    assert len(set(codes)) > 25


async def test_a_code_is_good_for_one_guess_for_five_minutes_and_in_its_own_call(site: Site) -> None:
    call = site.call()
    await call.send_code(ACCOUNT, "zh-CN")
    assert await site.call().verify_code(code_sent(site)) is None
    assert await call.verify_code(other(code_sent(site))) is None
    assert await call.verify_code(code_sent(site)) is None, "after a wrong guess"
    await call.send_code(ACCOUNT, "zh-CN")
    site.clock.seconds += CODE_GOOD_FOR_S + 1
    assert await call.verify_code(code_sent(site)) is None, "too late"
    call = site.call()
    await call.send_code(ACCOUNT, "zh-CN")
    first = code_sent(site)
    await call.send_code(ACCOUNT, "zh-CN")
    if first != code_sent(site):
        assert await call.verify_code(first) is None, "the last one counts"


async def test_an_account_without_a_number_or_that_is_none_is_sent_nothing_and_no_guess_is_right(site: Site) -> None:
    for at in range(50):
        call = site.call(None)
        await call.send_code(Identity("card", f"6217000000{at:06}"), "zh-CN")
        assert await call.verify_code(f"{at:06}") is None
    assert site.texts.secrets == []


async def test_a_code_is_a_try_like_any_other(site: Site) -> None:
    """Sent is counted: three a call, five a day, together with wrong PINs; a right one is taken back."""
    await guess(site, TRIES_A_DAY - 2)
    call = site.call()
    await call.send_code(ACCOUNT, "zh-CN")
    assert call.tries_left == TRIES_A_CALL - 1
    await call.verify_code(code_sent(site))
    for _ in range(2):
        await site.call().send_code(ACCOUNT, "zh-CN")  # and hangs up
    texts = len(site.texts.secrets)
    call = site.call()
    asked = site.bureau.asked
    await call.send_code(ACCOUNT, "zh-CN")
    assert (len(site.texts.secrets), site.bureau.asked) == (texts, asked + 1), "asked all the same, and nothing sent"
    assert await site.call().verify(ACCOUNT, PIN) is None


async def test_a_system_that_is_away_costs_no_code(site: Site) -> None:
    call = site.call()
    site.bureau.away = True
    with pytest.raises(NotAvailable):
        await call.send_code(ACCOUNT, "zh-CN")
    site.bureau.away = False
    await call.send_code(ACCOUNT, "zh-CN")
    site.bureau.away = True
    with pytest.raises(NotAvailable):
        await call.verify_code(code_sent(site))
    assert call.tries_left == TRIES_A_CALL


async def test_a_code_is_in_no_repr_and_in_no_journal(site: Site) -> None:
    call = site.call()
    await call.send_code(ACCOUNT, "zh-CN")
    await site.journal.close()
    assert code_sent(site) not in repr(vars(call))
    for file in site.path.parent.iterdir():
        assert code_sent(site).encode() not in file.read_bytes()
