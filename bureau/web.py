"""The HTTP side: an ASGI application by Litestar, from which the written contract is made too (contract.py).

Everything but /health is a POST with a JSON body behind a bearer token. Statuses, which only this module knows:

    200 the answer            400 not as the contract has it    401 not the hotline     409 the key was used otherwise
    403 no, for this reason   503 not now, nothing is done      500 it failed, and nobody knows how far
"""

from __future__ import annotations

import hmac
import logging
import traceback
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Annotated, Any

import asyncpg
from litestar import Litestar, MediaType, Request, Response, Router, get, post
from litestar.connection import ASGIConnection
from litestar.exceptions import HTTPException, NotAuthorizedException
from litestar.handlers import BaseRouteHandler
from litestar.openapi.config import OpenAPIConfig
from litestar.openapi.datastructures import ResponseSpec
from litestar.openapi.spec import Components, SecurityScheme, Server
from litestar.params import HeaderParameter, JSONBody

from bureau.counter import Counter
from bureau.database import AWAY
from bureau.refusals import REASONS, KeyUsedOtherwise, Refused
from bureau.shapes import (
    BoundNumber,
    CardAnswer,
    Code,
    Contributions,
    Done,
    Health,
    Insurances,
    OfArea,
    OfCitizen,
    Offices,
    OfIdentity,
    OfYear,
    PensionAnswer,
    Problem,
    ResetPin,
    Verified,
    Verify,
    VerifyByNumber,
)

VERSION = "1.0.0"
DESCRIPTION = """\
What a Rexian hotline asks of the social-security system of its city. docs/business.md tells how to connect one.

No number of anybody is ever part of a URL. Amounts are in fen, dates those of the calendar. Every write carries an
`Idempotency-Key`: the same key with the same question gets the same answer and changes nothing, however often it comes.
"""
KEY = Annotated[
    str,
    HeaderParameter(
        name="Idempotency-Key",
        min_length=1,
        max_length=200,
        description="Chosen by the caller, one for each change that a citizen wants; kept for at least a day.",
    ),
]

log = logging.getLogger(__name__)

Opened = Callable[[], Any]
"""Opens the pool of connections, as an async context manager."""


def _says(description: str) -> ResponseSpec:
    return ResponseSpec(Problem, description=description, generate_examples=False)


_REFUSALS = {
    400: _says("Not as this contract has it."),
    401: _says("The bearer token is missing or wrong."),
    403: _says("No; `code` says why. Nothing was changed."),
    503: _says("Not now. Nothing was changed."),
}
_OF_WRITES = _REFUSALS | {
    409: _says("The key was used for something else. Nothing was changed."),
    500: _says("It failed, and what came of it is not known: ask again with the same key."),
}


def _reads(counter: Callable[[], Counter]) -> list[BaseRouteHandler]:
    @post("/verify", status_code=200, responses=_REFUSALS, tags=["who it is"])
    async def verify(data: JSONBody[Verify]) -> Verified:
        """Who that is, if the PIN is theirs. The word is opaque and good for ten minutes."""
        return Verified(await counter().verify(data.identity, data.pin))

    @post("/bound-number", status_code=200, responses=_REFUSALS, tags=["who it is"])
    async def bound_number(data: JSONBody[OfIdentity]) -> BoundNumber:
        """The telephone number that this account is bound to; null when there is none, or no such account."""
        return BoundNumber(await counter().bound_number(data.identity))

    @post("/verify-by-number", status_code=200, responses=_REFUSALS, tags=["who it is"])
    async def verify_by_number(data: JSONBody[VerifyByNumber]) -> Verified:
        """Who that is, for somebody who has proved to the hotline to hold the number that the account is bound to."""
        return Verified(await counter().verify_by_number(data.identity, data.number))

    @post("/card", status_code=200, responses=_REFUSALS, tags=["reads"])
    async def card(data: JSONBody[OfCitizen]) -> CardAnswer:
        """The citizen's card; null: they have none."""
        return CardAnswer(await counter().card(data.citizen))

    @post("/insurances", status_code=200, responses=_REFUSALS, tags=["reads"])
    async def insurances(data: JSONBody[OfCitizen]) -> Insurances:
        """The accounts that they have with the five insurances."""
        return Insurances(await counter().insurances(data.citizen))

    @post("/pension", status_code=200, responses=_REFUSALS, tags=["reads"])
    async def pension(data: JSONBody[OfCitizen]) -> PensionAnswer:
        """What a retired citizen is paid; null: not retired."""
        return PensionAnswer(await counter().pension(data.citizen))

    @post("/contributions", status_code=200, responses=_REFUSALS, tags=["reads"])
    async def contributions(data: JSONBody[OfYear]) -> Contributions:
        """All that was paid in that year."""
        return Contributions(await counter().contributions(data.citizen, data.year))

    @post("/offices", status_code=200, responses=_REFUSALS, tags=["reads"])
    async def offices(data: JSONBody[OfArea]) -> Offices:
        """The offices of that area; none when there is no such area."""
        return Offices(counter().offices(data.area))

    return [verify, bound_number, verify_by_number, card, insurances, pension, contributions, offices]


def _writes(counter: Callable[[], Counter]) -> list[BaseRouteHandler]:
    @post("/card/report-loss", status_code=200, responses=_OF_WRITES, tags=["writes"])
    async def report_loss(data: JSONBody[OfCitizen], key: KEY) -> Done:
        """Block the card. One that is blocked already stays so, with its reference."""
        return Done(await counter().report_loss(data.citizen, key))

    @post("/card/undo-loss", status_code=200, responses=_OF_WRITES, tags=["writes"])
    async def undo_loss(data: JSONBody[OfCitizen], key: KEY) -> Done:
        """Unblock the card."""
        return Done(await counter().undo_loss(data.citizen, key))

    @post("/card/activate", status_code=200, responses=_OF_WRITES, tags=["writes"])
    async def activate_card(data: JSONBody[OfCitizen], key: KEY) -> Done:
        """Activate a card that was issued."""
        return Done(await counter().activate_card(data.citizen, key))

    @post("/pin/reset", status_code=200, responses=_OF_WRITES, tags=["writes"])
    async def reset_pin(data: JSONBody[ResetPin], key: KEY) -> Done:
        """Another PIN, six digits and not easily guessed."""
        return Done(await counter().reset_pin(data.citizen, data.pin, key))

    return [report_loss, undo_loss, activate_card, reset_pin]


def application(opened: Opened, token: str) -> Litestar:
    """The ASGI application; `opened` is called at its start, `token` is what the hotline must show."""
    counters: list[Counter] = []
    pools: list[asyncpg.Pool[Any]] = []

    @asynccontextmanager
    async def lifespan(_: Litestar) -> AsyncIterator[None]:
        async with opened() as pool:
            pools.append(pool)
            counters.append(Counter(pool))
            yield

    def counter() -> Counter:
        return counters[0]

    @get("/health", tags=["health"])
    async def health() -> Health:
        """Whether questions can be answered now. For anybody."""
        try:
            return Health(await pools[0].fetchval("SELECT true"))
        except AWAY:
            return Health(ready=False)

    async def hotline_only(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
        shown = connection.headers.get("authorization", "")
        if not hmac.compare_digest(shown.encode(), f"Bearer {token}".encode()):
            raise NotAuthorizedException

    v1 = Router("/v1", route_handlers=[*_reads(counter), *_writes(counter)], guards=[hotline_only])
    v1.security = [{"hotline": []}]
    return Litestar(
        [health, v1],
        lifespan=[lifespan],
        openapi_config=_openapi(),
        exception_handlers={Exception: _problem},
        logging_config=None,
    )


def _openapi() -> OpenAPIConfig:
    hotline = SecurityScheme(type="http", scheme="bearer", description="The hotline's secret `business_token`.")
    return OpenAPIConfig(
        title="The business system behind a hotline",
        version=VERSION,
        description=DESCRIPTION,
        components=Components(security_schemes={"hotline": hotline}),
        servers=[Server("http://127.0.0.1:8091", description="The reference system.")],
        render_plugins=[],
        use_handler_docstrings=True,
        operation_id_creator=lambda handler, _, __: handler.handler_name,
    )


def _problem(_: Request[Any, Any, Any], error: Exception) -> Response[Problem]:
    """Every error as a Problem. What the error itself says may hold somebody's number and goes nowhere."""
    status, code = _status_and_code(error)
    if status >= 500:
        where = traceback.extract_tb(error.__traceback__)[-1]
        log.error("%s: %s at %s:%s", code, type(error).__name__, where.filename, where.lineno)
    return Response(Problem(code, REASONS[code]), status_code=status, media_type=MediaType.JSON)


def _status_and_code(error: Exception) -> tuple[int, Code]:  # noqa: PLR0911 - a table in the form of a match
    match error:
        case KeyUsedOtherwise():
            return 409, error.code
        case Refused():
            return 403, error.code
        case HTTPException(status_code=401):
            return 401, "not_authorised"
        case HTTPException(status_code=404 | 405 as status):
            return status, "no_such_operation"
        case HTTPException(status_code=status) if status < 500:
            return 400, "malformed"
        case _ if isinstance(error, AWAY):
            return 503, "unavailable"
    return 500, "failed"
