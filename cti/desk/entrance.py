"""Who asks, and whether they may: one look before every route of the API, and the way in and out.

Denied by default: a route that names no roles is refused when the application is made, and whoever is nobody is let
through to what strangers may do alone. What changes something must come from our own page (its `Origin`) and show the
session's second secret in `X-CSRF-Token`; where nobody is signed in yet there is no secret, and the origin must do.
Wrong and right names, passwords and codes are told in one sentence; see accounts.py for the rest.
"""

from __future__ import annotations

import hmac
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any
from urllib.parse import urlsplit

import msgspec
from litestar import Request, Response, delete, get, post, put
from litestar.connection import ASGIConnection
from litestar.datastructures import Cookie
from litestar.exceptions import NotAuthorizedException, PermissionDeniedException, TooManyRequestsException
from litestar.handlers import BaseRouteHandler, HTTPRouteHandler
from litestar.middleware import AbstractAuthenticationMiddleware, AuthenticationResult
from litestar.params import JSONBody
from litestar.types import ASGIApp

from calls.clock import Clock
from calls.words import Role
from cti.desk.accounts import REFUSED, Account, Accounts
from cti.desk.audit import Audit
from cti.desk.flows import Flows
from cti.desk.provider import Provider
from cti.desk.roles import BEGINNER, BEGINNERS, EVERY_SESSION, SCREEN, STRANGER, STRANGERS, allowed, is_by_itself
from cti.desk.sessions import LONGEST, Session, Sessions

COOKIE = "rexian"
TOKEN_HEADER = "X-CSRF-Token"
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})

TRIES, WITHIN = 60, timedelta(minutes=5)
"""Wrong sign-ins of one address: a whole floor of advisers may come out of one, and a machine that guesses does, too."""

SESSION, PASSWORD = "/api/v1/session", "/api/v1/session/password"

Field = Annotated[str, msgspec.Meta(max_length=256)]

Connection = ASGIConnection[Any, "Visitor | None", "Session | None", Any]


@dataclass(frozen=True)
class Visitor:
    """Whoever is signed in: the account as it is now."""

    account: Account
    must_change: bool
    """Nothing may be done before a password of their own is chosen."""
    board: bool = False
    """A big screen, which may show the wallboard and nothing else."""

    @property
    def roles(self) -> frozenset[str]:
        """What routes ask for."""
        if self.must_change:
            return frozenset({BEGINNER})
        if self.board:
            return frozenset({SCREEN})
        return frozenset(self.account.roles)


Asked = Request[Visitor | None, Session | None, Any]


class SignIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is typed to sign in."""

    name: Field
    password: Field
    code: Field | None = None
    """Of the authenticator app, six digits; for accounts that have a second factor."""
    board: bool = False
    """To show the wallboard on a big screen and do nothing else: then being idle does not end it."""

    def __repr__(self) -> str:
        return f"SignIn({self.name!r}, ...)"


class Chosen(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A new password, and the one until now."""

    old: Field
    new: Field

    def __repr__(self) -> str:
        return "Chosen(...)"


class SignedIn(msgspec.Struct, frozen=True):
    """Who is signed in, for their own page."""

    account: str
    roles: tuple[Role, ...]
    adviser: str | None
    must_change: bool
    """A password of their own is to be chosen first; nothing else may be done before."""
    board: bool
    """It is a big screen, which shows the wallboard and may do nothing else."""
    csrf: str
    """To be shown in `X-CSRF-Token` by every request that changes something."""


class Doors:
    """The accounts and who is signed in, with the limit on guessing; made once, used by every request."""

    def __init__(
        self, accounts: Accounts, sessions: Sessions, audit: Audit, clock: Clock, provider: Provider | None = None
    ) -> None:
        self.accounts, self.sessions, self.audit, self._clock = accounts, sessions, audit, clock
        self.provider = provider
        """Who else says who somebody is; None: nobody."""
        self.flows = Flows(clock)
        self._wrong: dict[str, deque[float]] = {}

    def guessing(self, address: str) -> bool:
        """Whether too many wrong sign-ins came from this address lately."""
        times = self._wrong.get(address)
        while times and times[0] < self._clock.now() - WITHIN.total_seconds():
            times.popleft()
        if not times:
            self._wrong.pop(address, None)
        return times is not None and len(times) >= TRIES

    def wrong(self, address: str) -> None:
        """One more."""
        for other in list(self._wrong):
            self.guessing(other)
        self._wrong.setdefault(address, deque(maxlen=TRIES)).append(self._clock.now())


def recognising(doors: Doors) -> Callable[[ASGIApp], ASGIApp]:
    """The middleware that finds out who asks."""

    class Recognise(AbstractAuthenticationMiddleware):
        async def authenticate_request(self, connection: Connection) -> AuthenticationResult:
            seen = not is_by_itself(connection.route_handler.opt)
            found = doors.sessions.find(connection.cookies.get(COOKIE, ""), seen=seen)
            if found is None:
                return AuthenticationResult(user=None, auth=None)
            session, account = found
            visitor = Visitor(account, _must_change(account, session), session.board)
            return AuthenticationResult(user=visitor, auth=session)

    return Recognise


def admit(connection: Connection, handler: BaseRouteHandler) -> None:
    """The guard of every route. Raises litestar's 401 and 403."""
    may = allowed(handler.opt)
    visitor = connection.scope.get("user")
    if STRANGER not in may:
        if visitor is None:
            raise NotAuthorizedException("sign in first")
        if visitor.roles.isdisjoint(may):
            raise PermissionDeniedException(f"this is for: {', '.join(sorted(may))}")
    method = connection.scope.get("method")
    if method not in SAFE:  # a websocket has none
        # Whoever signs in anew shows no secret, though the browser may still carry a session whose page has gone.
        session = None if STRANGER in may else connection.scope.get("auth")
        _from_our_page(connection, session, said=method is None)


def _from_our_page(connection: Connection, session: Session | None, *, said: bool) -> None:
    """`said`: browsers always say where a websocket comes from, and cannot show the secret there."""
    origin = connection.headers.get("origin")
    if (said or origin is not None) and urlsplit(origin or "").netloc != connection.headers.get("host"):
        raise PermissionDeniedException("that page is not ours")
    if session is not None and not said:
        shown = connection.headers.get(TOKEN_HEADER, "")
        if not hmac.compare_digest(shown.encode(), session.csrf.encode()):
            raise PermissionDeniedException(f"show the session's secret in {TOKEN_HEADER}")


def ways(doors: Doors) -> list[HTTPRouteHandler]:
    """The routes by which people come in and go."""

    @post(SESSION, opt=STRANGERS, status_code=201, raises=[NotAuthorizedException, TooManyRequestsException])
    async def sign_in(data: JSONBody[SignIn], request: Asked) -> Response[SignedIn]:
        """Sign in; the cookie of the answer is the session."""
        address = address_of(request)
        if doors.guessing(address):
            raise TooManyRequestsException(REFUSED)
        account = await doors.accounts.sign_in(data.name, data.password, data.code, address)
        if account is None:
            doors.wrong(address)
            raise NotAuthorizedException(REFUSED)
        return _begun(doors, account, request, board=data.board)

    @get(SESSION, opt=EVERY_SESSION, sync_to_thread=False)
    def whoami(request: Asked) -> SignedIn:
        """Who is signed in here, and the secret for what changes something."""
        visitor, session = known(request)
        return _signed_in(visitor.account, session)

    @delete(SESSION, opt=EVERY_SESSION, sync_to_thread=False, status_code=204)
    def sign_out(request: Asked) -> Response[None]:
        """Sign out of this browser."""
        visitor, _ = known(request)
        doors.sessions.end(request.cookies[COOKIE])
        doors.audit.write("signed_out", visitor.account.name, "", address_of(request))
        return Response(None, cookies=[cookie("", 0, secure=_by_tls(request))])

    @put(PASSWORD, opt=BEGINNERS)
    async def choose(data: JSONBody[Chosen], request: Asked) -> Response[SignedIn]:
        """Choose a password of one's own. Every other session of the account ends, and this one begins anew."""
        visitor, session = known(request)
        name = visitor.account.name
        if not await doors.accounts.choose(name, data.old, data.new, address_of(request)):
            raise PermissionDeniedException("the password until now is another one, or there were too many tries")
        doors.sessions.end(request.cookies[COOKIE])
        account = doors.accounts.get(name)
        if account is None:  # disabled while the password was made
            raise NotAuthorizedException("sign in first")
        return _begun(doors, account, request, board=session.board)

    return [sign_in, whoami, sign_out, choose]


def known(request: Asked) -> tuple[Visitor, Session]:
    """Whoever asks; the guard has let nobody else through."""
    visitor, session = request.user, request.auth
    if visitor is None or session is None:
        raise NotAuthorizedException("sign in first")
    return visitor, session


def _begun(doors: Doors, account: Account, request: Asked, *, board: bool) -> Response[SignedIn]:
    token, session = doors.sessions.begin(account, board=board)
    return Response(_signed_in(account, session), cookies=[cookie(token, secure=_by_tls(request))])


def _signed_in(account: Account, session: Session) -> SignedIn:
    must_change = _must_change(account, session)
    return SignedIn(account.name, account.roles, account.adviser, must_change, session.board, session.csrf)


def _must_change(account: Account, session: Session) -> bool:
    return account.must_change and not session.vouched


def cookie(token: str, max_age: int = round(LONGEST.total_seconds()), *, secure: bool) -> Cookie:
    """Never read by a script nor sent by another site. `max_age` in seconds."""
    return Cookie(
        key=COOKIE, value=token, path="/api", max_age=max_age, httponly=True, samesite="strict", secure=secure
    )


def _by_tls(request: Asked) -> bool:
    """Whether that is what the browser speaks to nginx."""
    return request.url.scheme == "https"


def address_of(request: Asked) -> str:
    """Where the browser is: what nginx says, which uvicorn believes from this machine alone."""
    return request.client.host if request.client else ""
