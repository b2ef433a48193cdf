"""Who is signed in: opaque tokens, kept as their hashes with the journal, so that a restart signs nobody out.

A session ends after IDLE without a request (but for one that only shows the wallboard), at the end of LONGEST, when its account
may not sign in any more or is given another password, when a wallboard's may not look at one any more, and when its person
signs out.
It carries a second secret, which every request that changes something must
show in a header: another site can make a browser send a cookie, but not that.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta

import msgspec

from calls.clock import Clock
from cti.desk.accounts import Account, Accounts
from cti.desk.roles import WATCHERS
from cti.store import Journal

IDLE = timedelta(minutes=30)
"""A request is somebody's doing; what comes to an open page by itself is not, nor what the page asks for again by itself."""
LONGEST = timedelta(hours=12)
"""A shift, and the next one's handing over."""
SEEN_WRITTEN_EVERY = timedelta(minutes=1)

TOKEN_BYTES = 32


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """One browser. Instants are UTC."""

    account: str
    password: str
    """The hash of the password at sign-in: with another one the session is over."""
    csrf: str
    since: datetime
    seen: datetime
    board: bool = False
    """It shows the wallboard and may do nothing else: nobody sits there, so it is never idle."""
    vouched: bool = False
    """The provider said who it is, so the password does not matter: nobody needs to choose one."""

    def __repr__(self) -> str:
        return f"Session({self.account!r})"


class Sessions:
    """Everybody who is signed in."""

    def __init__(self, journal: Journal, clock: Clock, accounts: Accounts) -> None:
        self._journal, self._clock, self._accounts = journal, clock, accounts
        self._open = journal.find("session/", Session)

    def __len__(self) -> int:
        """How many are kept, some of which may be over."""
        return len(self._open)

    def begin(self, account: Account, *, board: bool = False, vouched: bool = False) -> tuple[str, Session]:
        """The token for the browser, which is kept nowhere else, and the session; `board`: of a screen, where it may be."""
        self._sweep()
        token, now = secrets.token_urlsafe(TOKEN_BYTES), self._clock.utc()
        session = Session(
            account=account.name,
            password=account.password,
            csrf=secrets.token_urlsafe(),
            since=now,
            seen=now,
            board=board and not WATCHERS.isdisjoint(account.roles),
            vouched=vouched,
        )
        self._keep(_key(token), session)
        return token, session

    def find(self, token: str, *, seen: bool = True) -> tuple[Session, Account] | None:
        """Whose token that is at this moment; from now on it was `seen`."""
        key = _key(token)
        session = self._open.get(key)
        if session is None:
            return None
        account = self._of(session)
        if account is None:
            self._forget(key)
            return None
        now = self._clock.utc()
        if seen and now - session.seen >= SEEN_WRITTEN_EVERY:
            session = msgspec.structs.replace(session, seen=now)
            self._keep(key, session)
        return session, account

    def stands(self, token: str) -> bool:
        """Whether that is anybody's token at this moment; it was not seen by that."""
        session = self._open.get(_key(token))
        return session is not None and self._of(session) is not None

    def end(self, token: str) -> None:
        """Signed out."""
        self._forget(_key(token))

    def _of(self, session: Session) -> Account | None:
        """Its account, if it is not over."""
        now = self._clock.utc()
        account = self._accounts.get(session.account)
        if account is None or account.password != session.password:
            return None
        if session.board and WATCHERS.isdisjoint(account.roles):
            return None
        idle = now - session.seen > IDLE and not session.board
        return None if idle or now - session.since > LONGEST else account

    def _sweep(self) -> None:
        for key in [key for key, session in self._open.items() if self._of(session) is None]:
            self._forget(key)

    def _keep(self, key: str, session: Session) -> None:
        self._open[key] = session
        self._journal.put(key, session)

    def _forget(self, key: str) -> None:
        if self._open.pop(key, None) is not None:
            self._journal.forget(key)


def _key(token: str) -> str:
    return f"session/{hashlib.sha256(token.encode()).hexdigest()}"
