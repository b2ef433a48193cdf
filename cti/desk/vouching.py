"""The routes for signing in by the provider (OpenID Connect, authorization code flow with PKCE), beside the password.

The provider says who it is, and nothing else: whoever comes must have an account here, and may do what that says. A page
asks at `ways` whether there is a provider, and sends the browser to the address in the answer; it comes back at `back`, and
goes on to the desk, signed in or refused. Whatever is wrong, a stranger is told the same; only somebody whom the provider
has vouched for is told that a second factor is missing. Why, the audit log says.

Wrong sign-ins count against an address as wrong passwords do. What any page can make a browser ask for, coming back without
having gone, is counted by itself: it keeps nobody out, and fills no log.
"""

from __future__ import annotations

import msgspec
from litestar import Response, get
from litestar.datastructures import Cookie
from litestar.handlers import HTTPRouteHandler
from litestar.openapi import ResponseSpec
from litestar.params import FromQuery

from calls.errors import NotPossible
from cti.desk.accounts import Account, NoSecondFactor, NotAdmitted
from cti.desk.entrance import SESSION, Asked, Doors, address_of, cookie
from cti.desk.flows import LASTS, Flow
from cti.desk.provider import BACK, GO, Away, Provider
from cti.desk.roles import STRANGERS
from cti.desk.tokens import NotProven

WAYS = f"{SESSION}/ways"

FLOW_COOKIE = "rexian-oidc"

DESK, REFUSED, SECOND_FACTOR_WANTED = "/desk/", "/desk/#refused", "/desk/#second-factor"
BOARD = "/desk/#board"
"""Whoever set out from the wallboard comes back to it, and so does the word for a refusal: `/desk/#board-refused`."""

NO_PROVIDER = {409: ResponseSpec(None)}
"""For the description: what the routes answer where there is none."""


class Ways(msgspec.Struct, frozen=True):
    """How one may sign in, besides by name and password."""

    oidc: str | None
    """Where a page sends the browser for it; null: there is no provider."""


class _NotIn(Exception):
    """Nobody comes in: why, whose account it would have been, and whether somebody may have guessed."""

    def __init__(self, why: str, account: str | None = None, *, guess: bool = True, told: str = REFUSED) -> None:
        self.why, self.account, self.guess, self.told = why, account, guess, told
        super().__init__(why)


def vouching(doors: Doors) -> list[HTTPRouteHandler]:
    """The routes."""

    @get(WAYS, opt=STRANGERS, sync_to_thread=False)
    def sign_in_ways() -> Ways:
        """How one may sign in here, besides by name and password."""
        return Ways(doors.provider.client.go if doors.provider else None)

    @get(GO, opt=STRANGERS, status_code=303, responses=NO_PROVIDER)
    async def go_to_provider(request: Asked, board: FromQuery[bool] = False) -> Response[None]:
        """Sends the browser to the provider, where there is one, to show who it is; `board`: to show the wallboard alone."""
        provider, address = _provider(), address_of(request)
        if doors.guessing(address):
            return _to(REFUSED)
        flow = doors.flows.begin(address, board=board)
        try:
            return _to(await provider.address(flow), _flow_cookie(provider, flow.browser))
        except Away as error:
            doors.flows.take(flow.state, flow.browser)
            return _refused(_NotIn(str(error), guess=False), address, flow)

    @get(BACK, opt=STRANGERS, status_code=303, responses=NO_PROVIDER)
    async def back_from_provider(request: Asked) -> Response[None]:
        """Where the provider sends the browser: on to the desk, signed in or refused."""
        provider, address = _provider(), address_of(request)
        if doors.guessing(address):
            return _to(REFUSED)
        flow = doors.flows.take(request.query_params.get("state", ""), request.cookies.get(FLOW_COOKIE, ""))
        try:
            account = await _whose(provider, flow, request)
        except _NotIn as error:
            return _refused(error, address, flow)
        token, session = doors.sessions.begin(account, board=flow is not None and flow.board, vouched=True)
        return _to(
            BOARD if session.board else DESK, cookie(token, secure=provider.client.by_tls), _flow_cookie(provider, "")
        )

    def _provider() -> Provider:
        if doors.provider is None:
            raise NotPossible("nobody signs in by a provider here. Mend: set oidc_issuer")
        return doors.provider

    async def _whose(provider: Provider, flow: Flow | None, request: Asked) -> Account:
        """The account of whoever is back."""
        told = request.query_params
        if flow is None:
            raise _NotIn("this browser did not go to the provider, or too long ago", guess=False)
        if "code" not in told:
            raise _NotIn("not signed in at the provider")
        try:
            proof = await provider.person(flow, told["code"], told.get("iss"))
            person = proof.issuer, proof.subject
            return doors.accounts.vouched(
                proof.name, person, second_factor=proof.second_factor, address=address_of(request)
            )
        except Away as error:
            raise _NotIn(str(error), guess=False) from None
        except NotProven as error:
            raise _NotIn(str(error)) from None
        except NoSecondFactor as error:
            raise _NotIn(str(error), error.account, told=SECOND_FACTOR_WANTED) from None
        except NotAdmitted as error:
            raise _NotIn(str(error), error.account) from None

    def _refused(error: _NotIn, address: str, flow: Flow | None) -> Response[None]:
        counted = address if error.guess else f"{address} without having gone"
        if not doors.guessing(counted):
            doors.audit.write("sign_in_refused", error.account, f"by the provider: {error.why}", address)
        doors.wrong(counted)
        return _to(error.told.replace(f"{DESK}#", f"{BOARD}-") if flow and flow.board else error.told)

    return [sign_in_ways, go_to_provider, back_from_provider]


def _to(address: str, *cookies: Cookie) -> Response[None]:
    return Response(None, status_code=303, headers={"Location": address}, cookies=list(cookies))


def _flow_cookie(provider: Provider, browser: str) -> Cookie:
    """Sent when a link of the provider's leads here (`lax`), and to the one route; empty: over."""
    return Cookie(
        key=FLOW_COOKIE,
        value=browser,
        path=BACK,
        max_age=round(LASTS.total_seconds()) if browser else 0,
        httponly=True,
        samesite="lax",
        secure=provider.client.by_tls,
    )
