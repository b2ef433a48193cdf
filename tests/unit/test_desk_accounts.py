"""Who may sign in: two factors, locks, sessions, and a log of all of it that nobody can mend unseen."""

from __future__ import annotations

import asyncio
import json
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
import pytest

from calls.clock import Instant
from calls.errors import NotPossible
from calls.facts import AnyFact, Audited
from calls.words import Role
from cti.desk import Doors
from cti.desk.accounts import FIRST, LOCKED_FOR, WRONG_ALLOWED, Handed
from cti.desk.audit import Head, broken
from cti.desk.entrance import TRIES, WITHIN
from cti.desk.passwords import LONGEST, SHORTEST, code_step
from cti.desk.sessions import IDLE
from cti.desk.sessions import LONGEST as LONGEST_SESSION
from cti.store import Journal
from tests.desk import AUDIT_KEY, code, doors

BEGAN = datetime(2026, 1, 5, 1, 0, tzinfo=UTC)
FROM = "10.0.0.7"
OWN = "four words of my own"


class SetClock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.after = timedelta()

    def now(self) -> Instant:
        return Instant(self.after.total_seconds())

    def utc(self) -> datetime:
        return BEGAN + self.after


class Site:
    """One controller after the other on one journal."""

    def __init__(self, folder: Path) -> None:
        self.clock, self.folder = SetClock(), folder
        self.log: list[Audited] = []

    def record(self, fact: AnyFact, at: datetime | None = None) -> None:
        assert isinstance(fact, Audited)
        self.log.append(fact)

    @asynccontextmanager
    async def opened(self, *, demo: bool = True) -> AsyncIterator[Doors]:
        journal = Journal(self.folder / "journal.db", "node1", self.clock)
        try:
            yield doors(self, journal, self.clock, self.folder, demo=demo)
        finally:
            await journal.close()

    @property
    def did(self) -> list[str]:
        return [entry.did for entry in self.log]

    @property
    def first(self) -> Path:
        return self.folder / "first-admin.json"

    def code(self, handed: Handed) -> str:
        assert handed.code_secret is not None
        return code(handed.code_secret, self.clock.utc())


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


@pytest.fixture
async def door(site: Site) -> AsyncIterator[Doors]:
    async with site.opened() as door:
        yield door


async def adviser(door: Doors, name: str = "wang.li", number: str = "8001") -> Handed:
    return await door.accounts.add(name, ["adviser"], number, by=FIRST)


# Signing in


async def test_the_password_that_was_handed_lets_in_and_no_other(site: Site, door: Doors) -> None:
    handed = await adviser(door)
    account = await door.accounts.sign_in("wang.li", handed.password, None, FROM)
    assert account is not None
    assert account.must_change
    assert await door.accounts.sign_in("wang.li", handed.password + "x", None, FROM) is None
    assert await door.accounts.sign_in("li.wang", handed.password, None, FROM) is None
    assert site.did == ["account_added", "signed_in", "sign_in_refused", "sign_in_refused"]
    assert site.log[-1].account is None, "what was typed as a name may be a password"
    assert "li.wang" not in str(site.log)


async def test_an_account_is_locked_after_so_many_wrong_tries_and_opens_by_itself(site: Site, door: Doors) -> None:
    handed = await adviser(door)
    for _ in range(WRONG_ALLOWED):
        assert await door.accounts.sign_in("wang.li", "wrong", None, FROM) is None
    assert site.did[-1] == "locked_out"
    assert await door.accounts.sign_in("wang.li", handed.password, None, FROM) is None
    site.clock.after = LOCKED_FOR - timedelta(seconds=1)
    assert await door.accounts.sign_in("wang.li", handed.password, None, FROM) is None
    site.clock.after = LOCKED_FOR
    assert await door.accounts.sign_in("wang.li", handed.password, None, FROM) is not None


async def test_wrong_tries_at_once_are_counted_each(door: Doors) -> None:
    handed = await adviser(door)
    async with asyncio.TaskGroup() as guesses:
        for guess in range(WRONG_ALLOWED):
            guesses.create_task(door.accounts.sign_in("wang.li", str(guess), None, FROM))
    assert await door.accounts.sign_in("wang.li", handed.password, None, FROM) is None


async def test_tries_are_counted_over_a_restart(site: Site) -> None:
    async with site.opened() as door:
        handed = await adviser(door)
        for _ in range(WRONG_ALLOWED - 1):
            await door.accounts.sign_in("wang.li", "wrong", None, FROM)
    async with site.opened() as door:
        await door.accounts.sign_in("wang.li", "wrong", None, FROM)
        assert await door.accounts.sign_in("wang.li", handed.password, None, FROM) is None


async def test_an_admin_shows_a_code_that_is_good_once(site: Site, door: Doors) -> None:
    handed = await door.accounts.add("zhao", ["admin"], None, by=FIRST)
    assert await door.accounts.sign_in("zhao", handed.password, None, FROM) is None
    shown = site.code(handed)
    assert await door.accounts.sign_in("zhao", handed.password, shown, FROM) is not None
    assert await door.accounts.sign_in("zhao", handed.password, shown, FROM) is None, (
        "somebody looked over the shoulder"
    )
    site.clock.after = timedelta(seconds=30)
    assert await door.accounts.sign_in("zhao", handed.password, site.code(handed), FROM) is not None


@pytest.mark.parametrize(("late_s", "good"), [(-61, False), (-30, True), (0, True), (30, True), (61, False)])
def test_a_code_is_good_by_a_clock_that_is_half_a_minute_off(late_s: float, good: bool) -> None:
    secret = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
    shown = code(secret, BEGAN + timedelta(seconds=late_s))
    assert (code_step(secret, shown, BEGAN) is not None) is good


# Accounts


async def test_the_first_admin_is_made_once_and_its_file_goes_with_its_first_password(site: Site) -> None:
    async with site.opened() as door:
        await door.accounts.first()
        assert stat.S_IMODE(site.first.stat().st_mode) == 0o600
        handed = msgspec.json.decode(site.first.read_bytes(), type=Handed)
        await door.accounts.first()
        assert [one.name for one in door.accounts.all()] == [FIRST]
    async with site.opened() as door:
        await door.accounts.first()
        account = await door.accounts.sign_in(FIRST, handed.password, site.code(handed), FROM)
        assert account is not None
        assert account.must_change
        assert await door.accounts.choose(FIRST, handed.password, OWN, FROM)
        assert not site.first.exists()


async def test_a_first_admin_whose_file_cannot_be_written_is_made_another_time(site: Site, door: Doors) -> None:
    site.first.mkdir()  # nothing can be written there
    with pytest.raises(OSError, match="first-admin"):
        await door.accounts.first()
    assert door.accounts.all() == []
    site.first.rmdir()
    await door.accounts.first()
    assert [one.name for one in door.accounts.all()] == [FIRST]


# The demonstration


async def test_the_accounts_of_a_demonstration_are_made_once_and_end_with_it(site: Site) -> None:
    async with site.opened() as door:
        for _ in range(2):
            await door.accounts.demonstrate("demo", ["8001", "8002"])
        assert [(one.name, one.adviser) for one in door.accounts.all()] == [
            ("demo1", "8001"),
            ("demo2", "8002"),
            ("demolead", None),
        ]
        account = await door.accounts.sign_in("demo1", "demo", None, FROM)
        assert account is not None
        assert not account.must_change
        token, _ = door.sessions.begin(account)
        assert door.accounts.under("8001") == "demo1"
    async with site.opened(demo=False) as door:
        assert await door.accounts.sign_in("demo1", "demo", None, FROM) is None
        assert not door.sessions.stands(token), "whoever was signed in is out"
        assert door.accounts.under("8001") is None


async def test_one_of_the_demonstration_yields_its_number_to_whoever_works_under_it(door: Doors) -> None:
    await door.accounts.demonstrate("demo", ["8001", "8002"])
    await adviser(door)
    assert door.accounts.under("8001") == "wang.li"
    assert await door.accounts.sign_in("demo1", "demo", None, FROM) is None
    assert await door.accounts.sign_in("demo2", "demo", None, FROM) is not None


async def test_no_password_is_kept_or_told(site: Site) -> None:
    async with site.opened() as door:
        handed = await adviser(door)
        await door.accounts.choose("wang.li", handed.password, OWN, FROM)
        account = door.accounts.get("wang.li")
        assert account is not None
        told = f"{account} {handed} {door.accounts.all()} {site.log}"
    kept = b"".join(each.read_bytes() for each in site.folder.iterdir())
    for secret in (handed.password, OWN):
        assert secret not in told
        assert secret.encode() not in kept
    assert account.password not in told


@pytest.mark.parametrize(
    ("new", "says"),
    [
        ("x" * (SHORTEST - 1), "12 to 128"),
        ("four words " * LONGEST, "12 to 128"),
        ("ababababababab", "easy to guess"),
        ("my name is Wang.Li", "easy to guess"),
        ("", "12 to 128"),
    ],
)
async def test_a_password_that_nobody_should_use_is_refused(door: Doors, new: str, says: str) -> None:
    handed = await adviser(door)
    with pytest.raises(NotPossible, match=says):
        await door.accounts.choose("wang.li", handed.password, new, FROM)
    assert await door.accounts.sign_in("wang.li", handed.password, None, FROM) is not None


async def test_the_same_password_again_is_no_choice(door: Doors) -> None:
    handed = await adviser(door)
    with pytest.raises(NotPossible, match="another one"):
        await door.accounts.choose("wang.li", handed.password, handed.password, FROM)


async def test_a_wrong_old_password_counts_as_a_wrong_try(door: Doors) -> None:
    handed = await adviser(door)
    for _ in range(WRONG_ALLOWED):
        assert not await door.accounts.choose("wang.li", "wrong", OWN, FROM)
    assert not await door.accounts.choose("wang.li", handed.password, OWN, FROM)
    assert await door.accounts.sign_in("wang.li", handed.password, None, FROM) is None


WRONG_ACCOUNTS: dict[str, tuple[dict[str, Any], str]] = {
    "a name with spaces": ({"name": "Wang Li"}, "no name"),
    "no name": ({"name": ""}, "no name"),
    "no role": ({"roles": []}, "no role"),
    "an adviser without a number": ({"adviser": None}, "go together"),
    "a number without the role": ({"roles": ["lead"]}, "go together"),
    "somebody's number": ({"adviser": "8001"}, "works under"),
    "somebody's name": ({"name": "wang.li"}, "another name"),
}


@pytest.mark.parametrize("wrong", WRONG_ACCOUNTS)
async def test_an_account_that_cannot_be_is_refused(door: Doors, wrong: str) -> None:
    await adviser(door)
    changed, says = WRONG_ACCOUNTS[wrong]
    asked = {"name": "zhang", "roles": ["adviser"], "adviser": "8002", **changed}
    with pytest.raises(NotPossible, match=says):
        await door.accounts.add(**asked, by=FIRST)
    assert [one.name for one in door.accounts.all()] == ["wang.li"]


async def test_the_last_admin_stays(site: Site, door: Doors) -> None:
    await door.accounts.add("zhao", ["admin"], None, by=FIRST)
    rights: list[tuple[Role, bool]] = [("lead", False), ("admin", True)]
    for role, disabled in rights:
        with pytest.raises(NotPossible, match="last admin"):
            await door.accounts.change("zhao", [role], None, disabled=disabled, by="zhao")
    await door.accounts.add("qian", ["admin"], None, by="zhao")
    await door.accounts.change("zhao", ["lead"], None, disabled=False, by="qian")
    with pytest.raises(NotPossible, match="last admin"):
        await door.accounts.change("qian", ["admin"], None, disabled=True, by="qian")
    assert site.did.count("account_changed") == 1


async def test_nobody_becomes_an_admin_by_a_password_alone(site: Site, door: Doors) -> None:
    await door.accounts.add("zhang", ["lead"], None, by=FIRST)
    with pytest.raises(NotPossible, match="second factor"):
        await door.accounts.change("zhang", ["admin"], None, disabled=False, by=FIRST)
    handed = await door.accounts.help("zhang", second_factor=True, by=FIRST)
    await door.accounts.change("zhang", ["admin"], None, disabled=False, by=FIRST)
    assert await door.accounts.sign_in("zhang", handed.password, None, FROM) is None
    assert await door.accounts.sign_in("zhang", handed.password, site.code(handed), FROM) is not None


async def test_who_is_locked_out_can_be_helped(site: Site, door: Doors) -> None:
    before = await adviser(door)
    for _ in range(WRONG_ALLOWED):
        await door.accounts.sign_in("wang.li", "wrong", None, FROM)
    helped = await door.accounts.help("wang.li", second_factor=False, by=FIRST)
    assert await door.accounts.sign_in("wang.li", before.password, None, FROM) is None
    account = await door.accounts.sign_in("wang.li", helped.password, None, FROM)
    assert account is not None
    assert account.must_change
    with pytest.raises(NotPossible, match="no account"):
        await door.accounts.help("li.wang", second_factor=False, by=FIRST)


async def test_a_disabled_account_is_none(door: Doors) -> None:
    handed = await adviser(door)
    account = await door.accounts.sign_in("wang.li", handed.password, None, FROM)
    assert account is not None
    token, _ = door.sessions.begin(account)
    await door.accounts.change("wang.li", ["adviser"], "8001", disabled=True, by=FIRST)
    assert door.sessions.find(token) is None
    assert await door.accounts.sign_in("wang.li", handed.password, None, FROM) is None


# Sessions


async def begun(door: Doors) -> str:
    handed = await adviser(door)
    account = await door.accounts.sign_in("wang.li", handed.password, None, FROM)
    assert account is not None
    return door.sessions.begin(account)[0]


async def test_a_session_outlives_a_controller_and_its_token_is_kept_nowhere(site: Site) -> None:
    async with site.opened() as door:
        token = await begun(door)
    async with site.opened() as door:
        found = door.sessions.find(token)
        assert found is not None
        assert found[1].name == "wang.li"
        assert door.sessions.find(token + "x") is None
        assert door.sessions.find("") is None
    assert token.encode() not in b"".join(each.read_bytes() for each in site.folder.iterdir())


async def test_a_session_ends_when_nobody_does_anything(site: Site, door: Doors) -> None:
    token = await begun(door)
    site.clock.after = IDLE
    assert door.sessions.find(token)
    site.clock.after += IDLE
    assert door.sessions.find(token)
    site.clock.after += IDLE + timedelta(seconds=1)
    assert door.sessions.find(token) is None
    site.clock.after = timedelta()
    assert door.sessions.find(token) is None, "over is over, whatever becomes of the clock"


async def test_what_a_page_asks_by_itself_keeps_no_session_up(site: Site, door: Doors) -> None:
    token = await begun(door)
    site.clock.after = IDLE
    assert door.sessions.find(token, seen=False)
    site.clock.after += timedelta(seconds=1)
    assert door.sessions.find(token, seen=False) is None


async def test_a_session_ends_with_the_shift(site: Site, door: Doors) -> None:
    token = await begun(door)
    while site.clock.after <= LONGEST_SESSION:
        assert door.sessions.find(token)
        site.clock.after += IDLE
    assert door.sessions.find(token) is None


async def test_a_wallboard_is_not_idle_at_night_and_ends_with_the_shift_all_the_same(site: Site, door: Doors) -> None:
    await adviser(door)
    await door.accounts.change("wang.li", ["lead"], None, disabled=False, by=FIRST)
    account = door.accounts.get("wang.li")
    assert account is not None
    token, _ = door.sessions.begin(account, board=True)
    site.clock.after = LONGEST_SESSION
    assert door.sessions.stands(token)
    site.clock.after += timedelta(seconds=1)
    assert not door.sessions.stands(token)


async def test_a_wallboard_ends_when_its_account_may_look_at_none_any_more(door: Doors) -> None:
    await door.accounts.add("wall", ["operator"], None, by=FIRST)
    account = door.accounts.get("wall")
    assert account is not None
    token, _ = door.sessions.begin(account, board=True)
    await door.accounts.change("wall", ["quality"], None, disabled=False, by=FIRST)
    assert not door.sessions.stands(token)
    assert door.sessions.find(token) is None


async def test_another_password_and_signing_out_end_a_session(site: Site, door: Doors) -> None:
    token = await begun(door)
    await door.accounts.help("wang.li", second_factor=False, by=FIRST)
    assert door.sessions.find(token) is None
    account = door.accounts.get("wang.li")
    assert account is not None
    one, another = (door.sessions.begin(account)[0] for _ in range(2))
    door.sessions.end(one)
    assert door.sessions.find(one) is None
    assert door.sessions.find(another)


async def test_sessions_that_are_over_are_not_kept_for_ever(site: Site) -> None:
    async with site.opened() as door:
        await begun(door)
        site.clock.after = IDLE * 2
        account = door.accounts.get("wang.li")
        assert account is not None
        door.sessions.begin(account)
        assert len(door.sessions) == 1


async def test_an_address_that_guesses_is_turned_away_for_a_while(site: Site, door: Doors) -> None:
    for _ in range(TRIES):
        assert not door.guessing(FROM)
        door.wrong(FROM)
    assert door.guessing(FROM)
    assert not door.guessing("10.0.0.8")
    site.clock.after = WITHIN + timedelta(seconds=1)
    assert not door.guessing(FROM)


# The audit log


async def logged(site: Site) -> Head:
    """A log of some entries, written by two controllers."""
    async with site.opened() as door:
        handed = await adviser(door)
    async with site.opened() as door:
        await door.accounts.sign_in("wang.li", handed.password, None, FROM)
        await door.accounts.sign_in("wang.li", "wrong", None, FROM)
        await door.accounts.help("wang.li", second_factor=True, by=FIRST)
        return door.audit.head


async def test_the_log_goes_on_over_a_restart_and_is_whole(site: Site) -> None:
    head = await logged(site)
    assert [entry.number for entry in site.log] == [1, 2, 3, 4]
    assert broken(site.log, head, AUDIT_KEY) is None
    assert broken([], Head(), AUDIT_KEY) is None


CHANGES: dict[str, Any] = {
    "number": 9,
    "at": BEGAN + timedelta(microseconds=1),
    "did": "signed_out",
    "account": "somebody else",
    "about": "",
    "address": "10.0.0.8",
    "seal": "0" * 64,
}


@pytest.mark.parametrize("field", CHANGES)
async def test_whoever_changes_one_field_of_one_row_is_found_out(site: Site, field: str) -> None:
    head = await logged(site)
    for at in range(len(site.log)):
        mended = list(site.log)
        mended[at] = msgspec.structs.replace(mended[at], **{field: CHANGES[field]})
        assert mended != site.log
        found = broken(mended, head, AUDIT_KEY)
        assert found is not None
        assert f"entry {at + 1} " in found


def test_every_field_of_an_entry_is_changed_above() -> None:
    assert set(CHANGES) == {field.name for field in msgspec.structs.fields(Audited)}


async def test_rows_removed_added_or_moved_are_found_out(site: Site) -> None:
    head = await logged(site)
    log = site.log
    assert "entry 2 is missing" in str(broken([log[0], *log[2:]], head, AUDIT_KEY))
    assert "entry 1 is missing" in str(broken(log[1:], head, AUDIT_KEY))
    assert "missing at the end" in str(broken(log[:-1], head, AUDIT_KEY))
    assert broken([*log, log[-1]], head, AUDIT_KEY)
    for one, other in pairwise(range(len(log))):
        moved = list(log)
        moved[one], moved[other] = moved[other], moved[one]
        assert broken(moved, head, AUDIT_KEY)


async def test_who_does_not_have_the_key_cannot_write_the_log_anew(site: Site) -> None:
    head = await logged(site)
    assert "entry 1 " in str(broken(site.log, head, "another key"))
    assert AUDIT_KEY not in json.dumps(msgspec.to_builtins(site.log))
