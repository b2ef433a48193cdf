"""The people who may sign in at the desk: names, roles, what is kept of their passwords, and how often one was wrong.

Kept with the journal, like all that a shift cannot do without: signing in needs no database, and outlives every controller
(decision 0031). There is no default password: at the first start an account `admin` is made, whose password and second
factor stand in one file that only its owner reads, and which must choose another password at once.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path

import msgspec

from calls.clock import Clock
from calls.errors import NotPossible, RexianError
from calls.words import Role
from cti.desk.audit import Audit
from cti.desk.passwords import Passwords, check, code_secret, code_step, made
from cti.secrets import write_private
from cti.store import Journal

NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,31}")

WRONG_ALLOWED = 5
LOCKED_FOR = timedelta(minutes=15)
"""After so many wrong passwords or codes in a row: 480 guesses a day at the most, and a shift that begins with a forgotten
password is not over."""

FIRST = "admin"
SECOND_FACTOR: frozenset[Role] = frozenset({"admin"})
"""Roles that nobody signs in with by a password alone."""

REFUSED = "name, password or code is wrong, or there were too many tries: wait a quarter of an hour"
"""The same for all of it: nobody learns which accounts there are."""


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """One person. Instants are UTC."""

    name: str
    roles: tuple[Role, ...]
    adviser: str | None = None
    """The adviser's number (工号) that this person works under; None: takes no calls."""
    password: str
    """As argon2id keeps it."""
    must_change: bool = True
    """The password was made by somebody else, and is good for choosing one's own."""
    code_secret: str | None = None
    code_used: int = 0
    """The 30 s of the last code that was taken."""
    wrong: int = 0
    locked_until: datetime | None = None
    disabled: bool = False
    demo: bool = False
    """To try the hotline with: good for nothing once it is not a demonstration any more."""
    person: tuple[str, str] | None = None
    """Who that is at the provider: its issuer and the subject there, kept at the first sign-in by it."""

    def __repr__(self) -> str:
        return f"Account({self.name!r}, {self.roles})"


class Shown(msgspec.Struct, frozen=True):
    """An account, as others may see it."""

    name: str
    roles: tuple[Role, ...]
    adviser: str | None
    second_factor: bool
    must_change: bool
    locked: bool
    disabled: bool


class Everybody(msgspec.Struct, frozen=True):
    """Who may sign in, by name."""

    accounts: list[Shown]


class Handed(msgspec.Struct, frozen=True):
    """What a new account, or one that is helped, is given: shown once, kept nowhere."""

    name: str
    password: str
    code_secret: str | None
    """To be typed into the authenticator app; None: no second factor."""

    def __repr__(self) -> str:
        return f"Handed({self.name!r}, ...)"


class NotAdmitted(RexianError):
    """Somebody whom the provider vouches for may not come in; the sentence is for the audit log."""

    def __init__(self, account: str | None, why: str) -> None:
        self.account = account
        super().__init__(why)


class NoSecondFactor(NotAdmitted):
    """The account needs a second factor, and the provider does not say that there was one."""


class Accounts:
    """Everybody who may sign in."""

    def __init__(self, journal: Journal, clock: Clock, audit: Audit, first_file: Path, *, demo: bool) -> None:
        """`demo`: whether those of the demonstration may sign in."""
        self._demo = demo
        self._journal, self._clock, self._audit, self._first_file = journal, clock, audit, first_file
        self._passwords = Passwords()
        self._known = {one.name: one for one in journal.find("account/", Account).values()}

    def get(self, name: str) -> Account | None:
        """Who may sign in under this name at this moment."""
        account = self._known.get(name)
        return None if account is None or account.disabled or (account.demo and not self._demo) else account

    def under(self, adviser: str) -> str | None:
        """The name of who works under this adviser's number and may sign in; None: nobody."""
        mine = (one.name for one in self._known.values() if one.adviser == adviser and self.get(one.name))
        return next(mine, None)

    def all(self) -> list[Shown]:
        """By name."""
        return [self._shown(one) for _, one in sorted(self._known.items())]

    async def first(self) -> None:
        """Make the first admin, if there is no account yet; how to sign in stands in a file of its own. Raises OSError."""
        if not self._known:
            handed, account = await self._made(FIRST, ["admin"], None)
            body = msgspec.json.format(msgspec.json.encode(handed))
            await asyncio.to_thread(write_private, self._first_file, body)  # first: an account without it is of no use
            self._enter(account, by=None)

    async def demonstrate(self, password: str, advisers: Iterable[str]) -> None:
        """Make what is missing of `demo1` and so on, for these adviser numbers, and of `demolead`, all with this password."""
        wanted: dict[str, tuple[tuple[Role, ...], str | None]] = {
            f"demo{number}": (("adviser",), adviser) for number, adviser in enumerate(advisers, 1)
        }
        wanted["demolead"] = ("lead",), None
        for name in wanted.keys() - self._known.keys():
            roles, adviser = wanted[name]
            kept = await self._passwords.hashed(password)
            self._enter(
                Account(name=name, roles=roles, adviser=adviser, password=kept, must_change=False, demo=True), by=None
            )

    async def add(self, name: str, roles: Iterable[Role], adviser: str | None, by: str | None) -> Handed:
        """A new person; `by` None: at the command line. Raises NotPossible with the mend."""
        handed, account = await self._made(name, roles, adviser)
        if name in self._known:
            raise NotPossible(f"there is an account {name!r}. Mend: take another name.")
        self._enter(account, by)
        return handed

    async def change(
        self, name: str, roles: Iterable[Role], adviser: str | None, *, disabled: bool, by: str | None
    ) -> Shown:
        """Other rights, or none any more. Raises NotPossible: also for the last admin, without whom nobody could mend it."""
        account = self._find(name)
        roles = self._checked(roles, adviser, name)
        changed = msgspec.structs.replace(account, roles=roles, adviser=adviser, disabled=disabled)
        if SECOND_FACTOR & set(roles) and account.code_secret is None:
            raise NotPossible(
                f"{name!r} has no second factor yet, which {', '.join(SECOND_FACTOR)} needs. Mend: add an account."
            )
        if _is_admin(account) and not _is_admin(changed) and sum(map(_is_admin, self._known.values())) == 1:
            raise NotPossible(f"{name!r} is the last admin. Mend: make another one first.")
        self._keep(changed)
        self._audit.write("account_changed", by, f"{name} {' '.join(roles)}{' disabled' if disabled else ''}")
        return self._shown(changed)

    async def help(self, name: str, *, second_factor: bool, by: str | None) -> Handed:
        """A new password for somebody who has lost theirs, and a new second factor, which may be their first.

        Who is locked out may try again, and whoever next signs in by the provider is taken for that person from then on.
        Raises NotPossible.
        """
        password = made()
        kept = await self._passwords.hashed(password)
        account = self._find(name)
        secret = code_secret() if second_factor or account.code_secret else None
        self._keep(
            msgspec.structs.replace(
                account, password=kept, must_change=True, code_secret=secret, wrong=0, locked_until=None, person=None
            )
        )
        self._audit.write("account_helped", by, name)
        return Handed(name, password, secret)

    async def sign_in(self, name: str, password: str, code: str | None, address: str) -> Account | None:
        """Whoever shows both factors of an account that is not locked; anybody else gets None, after the same time."""
        right = await self._passwords.right(self._password(name), password)
        account = self.get(name)  # looked at after the wait, in one turn: two guesses at once are two guesses
        if account is None:
            self._audit.write("sign_in_refused", None, "no such account", address)
            return None
        if self._locked(account):
            self._audit.write("sign_in_refused", name, "locked", address)
            return None
        step = self._step(account, code)
        if not right or step is None:
            self._wrong(account, address)
            return None
        account = msgspec.structs.replace(account, wrong=0, locked_until=None, code_used=step)
        self._keep(account)
        self._audit.write("signed_in", name, " ".join(account.roles), address)
        return account

    def vouched(self, name: str, person: tuple[str, str], *, second_factor: bool, address: str) -> Account:
        """Whoever the provider has shown to be that person, under the name that it gives them. Raises NotAdmitted.

        A name may change hands at the provider, or be changed by whoever has it; the person cannot. So the first one who comes
        under a name is kept, and from then on it takes both. A lock is against guessed passwords, and holds nobody here.
        """
        account = self._known.get(name)
        if account is None:
            raise NotAdmitted(None, "no such account")
        if account.disabled:
            raise NotAdmitted(name, "disabled")
        if account.demo:
            raise NotAdmitted(name, "of the demonstration")
        if name == FIRST and account.must_change:  # which nobody has made for somebody whom they know
            raise NotAdmitted(name, "the first admin has not chosen a password yet")
        issuer, _ = person
        if account.person is not None and account.person[0] == issuer and account.person != person:
            raise NotAdmitted(name, "another person of that name")
        if others := [one.name for one in self._known.values() if one.person == person and one.name != name]:
            raise NotAdmitted(name, f"that person is {others[0]} here")
        if (account.code_secret is not None or SECOND_FACTOR & set(account.roles)) and not second_factor:
            raise NoSecondFactor(name, "the provider tells of no second factor")
        if account.person != person:
            account = msgspec.structs.replace(account, person=person)
            self._keep(account)
        self._audit.write("signed_in", name, f"{' '.join(account.roles)} by the provider", address)
        return account

    async def choose(self, name: str, old: str, new: str, address: str) -> bool:
        """The person's own new password; False when the old one is wrong, which counts as one more wrong try.

        Raises NotPossible when nobody should use it.
        """
        check(new, name)
        if new == old:
            raise NotPossible("that is the password that you have. Mend: choose another one.")
        right = await self._passwords.right(self._password(name), old)
        account = self._find(name)
        if self._locked(account):
            return False
        if not right:
            self._wrong(account, address)
            return False
        kept = await self._passwords.hashed(new)
        self._keep(msgspec.structs.replace(self._find(name), password=kept, must_change=False))
        if name == FIRST:
            self._first_file.unlink(missing_ok=True)
        self._audit.write("password_chosen", name, name, address)
        return True

    async def _made(self, name: str, roles: Iterable[Role], adviser: str | None) -> tuple[Handed, Account]:
        if not NAME.fullmatch(name):
            raise NotPossible(f"{name!r} is no name for an account. Mend: 1 to 32 of a-z, 0-9, '.', '_' and '-'.")
        roles = self._checked(roles, adviser, name)
        password = made()
        kept = await self._passwords.hashed(password)
        secret = code_secret() if SECOND_FACTOR & set(roles) else None
        account = Account(name=name, roles=roles, adviser=adviser, password=kept, code_secret=secret)
        return Handed(name, password, secret), account

    def _enter(self, account: Account, by: str | None) -> None:
        self._keep(account)
        self._audit.write("account_added", by, f"{account.name} {' '.join(account.roles)}")

    def _password(self, name: str) -> str | None:
        account = self._known.get(name)
        return account.password if account else None

    def _step(self, account: Account, code: str | None) -> int | None:
        """As `code_step`; where no code is needed, any will do."""
        if account.code_secret is None:
            return account.code_used
        step = code_step(account.code_secret, code or "", self._clock.utc())
        return step if step is not None and step > account.code_used else None

    def _wrong(self, account: Account, address: str) -> None:
        wrong = account.wrong + 1
        until = self._clock.utc() + LOCKED_FOR if wrong >= WRONG_ALLOWED else None
        self._keep(msgspec.structs.replace(account, wrong=0 if until else wrong, locked_until=until))
        self._audit.write("locked_out" if until else "sign_in_refused", account.name, f"{wrong} wrong", address)

    def _locked(self, account: Account) -> bool:
        return account.locked_until is not None and self._clock.utc() < account.locked_until

    def _checked(self, roles: Iterable[Role], adviser: str | None, name: str) -> tuple[Role, ...]:
        roles = tuple(sorted(set(roles)))
        if not roles:
            raise NotPossible(f"{name!r} has no role. Mend: give at least one, or disable the account.")
        if ("adviser" in roles) != (adviser is not None):
            raise NotPossible(
                "an adviser's number (工号) and the role adviser go together. Mend: give both or neither."
            )
        others = (one for one in self._known.values() if adviser and one.adviser == adviser and one.name != name)
        taken = [one.name for one in others if not one.demo]
        if taken:
            raise NotPossible(
                f"{taken[0]!r} works under the number {adviser}. Mend: each adviser has one of their own."
            )
        return roles

    def _find(self, name: str) -> Account:
        if (account := self._known.get(name)) is None:
            raise NotPossible(f"there is no account {name!r}.")
        return account

    def _keep(self, account: Account) -> None:
        """One of the demonstration yields its adviser's number to whoever really works under it."""
        for one in list(self._known.values()):
            if (
                one.demo
                and not one.disabled
                and account.adviser == one.adviser is not None
                and account.name != one.name
            ):
                self._keep(msgspec.structs.replace(one, disabled=True))
        self._known[account.name] = account
        self._journal.put(f"account/{account.name}", account)

    def _shown(self, one: Account) -> Shown:
        factor = one.code_secret is not None
        return Shown(one.name, one.roles, one.adviser, factor, one.must_change, self._locked(one), one.disabled)


def _is_admin(account: Account) -> bool:
    return "admin" in account.roles and not account.disabled
