"""The routes for seats: an adviser acts at the seat where they sit, a team lead at every seat."""

from __future__ import annotations

from typing import Annotated

import msgspec
from litestar import post
from litestar.exceptions import PermissionDeniedException
from litestar.handlers import BaseRouteHandler
from litestar.params import FromPath, JSONBody

from cti.control import (
    AnyRequest,
    SeatCrisis,
    SeatDial,
    SeatLogOut,
    SeatMoreTime,
    SeatMove,
    SeatNotReady,
    SeatOrder,
    SeatReady,
    SeatRedial,
    SeatTransfer,
    SeatVerify,
)
from cti.desk.entrance import Asked, Doors, known
from cti.desk.house import House, PagePhone
from cti.desk.roles import only
from cti.status import Done

SEAT = "/api/v1/seats/{seat:str}"

LONGEST_REASON = 60
"""Characters: a few words."""


class Elsewhere(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whom a caller is passed on to: a queue of the line, and there an adviser, by number, if free."""

    queue: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
    adviser: Annotated[str, msgspec.Meta(max_length=20)] | None = None


class Owed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whom the adviser calls: the `id` of one of their follow-ups."""

    follow_up: Annotated[str, msgspec.Meta(min_length=1, max_length=100)]


class Reason(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why somebody takes no calls for a while."""

    reason: Annotated[str, msgspec.Meta(min_length=1, max_length=LONGEST_REASON)]


def seats(doors: Doors, house: House) -> list[BaseRouteHandler]:
    """The routes."""
    adviser, both = only("adviser"), only("adviser", "lead")

    @post(SEAT + "/ready", opt=both, status_code=200)
    async def ready(seat: FromPath[str], request: Asked) -> Done:
        """Take calls there: an adviser sits down, or is ready again; a lead makes whoever sits there ready."""
        account = known(request)[0].account
        if account.adviser is not None and house.sits(seat) in {None, account.adviser}:
            return await done(house, SeatReady(seat, account.adviser))
        return await act(doors, house, seat, request, SeatReady(seat))

    @post(SEAT + "/page", opt=both, status_code=200)
    async def page(seat: FromPath[str], request: Asked) -> PagePhone:
        """Have one's page as the telephone there: what it registers with at `/sip`, until it is opened anew."""
        account = known(request)[0].account
        if house.sits(seat) not in {None, account.adviser}:
            raise PermissionDeniedException(f"somebody else sits at {seat}")
        return await house.open_page(seat, account.adviser or account.name)

    @post(SEAT + "/not-ready", opt=both, status_code=200)
    async def not_ready(seat: FromPath[str], data: JSONBody[Reason], request: Asked) -> Done:
        """Take no more calls there for a while; one that is up is finished first."""
        return await act(doors, house, seat, request, SeatNotReady(seat, data.reason))

    @post(SEAT + "/more-time", opt=both, status_code=200)
    async def more_time(seat: FromPath[str], request: Asked) -> Done:
        """A minute more for the wrap-up."""
        return await act(doors, house, seat, request, SeatMoreTime(seat))

    @post(SEAT + "/log-out", opt=both, status_code=200)
    async def log_out(seat: FromPath[str], request: Asked) -> Done:
        """Leave the seat."""
        return await act(doors, house, seat, request, SeatLogOut(seat))

    @post(SEAT + "/redial", opt=adviser, status_code=200)
    async def redial(seat: FromPath[str], request: Asked) -> Done:
        """Call back whom the adviser spoke to last."""
        return await act(doors, house, seat, request, SeatRedial(seat), lead=False)

    @post(SEAT + "/dial", opt=adviser, status_code=200)
    async def dial(seat: FromPath[str], data: JSONBody[Owed], request: Asked) -> Done:
        """Call whom the adviser owes it: the telephone there rings first, then the citizen's."""
        return await act(doors, house, seat, request, SeatDial(seat, data.follow_up), lead=False)

    @post(SEAT + "/verify", opt=adviser, status_code=200)
    async def verify(seat: FromPath[str], request: Asked) -> Done:
        """Have the machine ask the caller who they are."""
        return await act(doors, house, seat, request, SeatVerify(seat), lead=False)

    @post(SEAT + "/move", opt=adviser, status_code=200)
    async def move(seat: FromPath[str], request: Asked) -> Done:
        """Go on talking on what is the telephone there now: after the page was loaded anew in mid-call."""
        return await act(doors, house, seat, request, SeatMove(seat), lead=False)

    @post(SEAT + "/transfer", opt=adviser, status_code=200)
    async def transfer(seat: FromPath[str], data: JSONBody[Elsewhere], request: Asked) -> Done:
        """Pass the caller on, who keeps the place of the first wait."""
        return await act(doors, house, seat, request, SeatTransfer(seat, data.queue, data.adviser), lead=False)

    @post(SEAT + "/crisis", opt=adviser, status_code=200)
    async def crisis(seat: FromPath[str], request: Asked) -> Done:
        """Say that the caller's life, or another one's, may be in danger: every lead is told."""
        sits = house.sits(seat)
        done = await act(doors, house, seat, request, SeatCrisis(seat), lead=False)
        doors.audit.write("crisis_marked", known(request)[0].account.name, f"{seat} {sits}")
        return done

    return [ready, page, not_ready, more_time, log_out, redial, dial, verify, move, transfer, crisis]


async def act(doors: Doors, house: House, seat: str, request: Asked, wish: SeatOrder, *, lead: bool = True) -> Done:
    """At one's own seat; where a `lead` may, as a lead at another's, which the audit log tells."""
    account = known(request)[0].account
    sits = house.sits(seat)
    theirs = sits is not None and sits == account.adviser
    if not theirs and not (lead and "lead" in account.roles):
        raise PermissionDeniedException(f"you do not sit at {seat}")
    answer = await done(house, wish)
    if not theirs:
        doors.audit.write("seat_changed", account.name, f"{seat} {sits or 'nobody'} {wish.__struct_config__.tag}")
    return answer


async def done(house: House, wish: AnyRequest) -> Done:
    """Have it done. Raises RexianError with the reason when it cannot be."""
    answer = await house.answer(wish)
    assert isinstance(answer, Done)
    return answer
