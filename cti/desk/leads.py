"""The routes for team leads: at a conversation of their advisers, to listen in, to whisper, to speak with both."""

from __future__ import annotations

from typing import Annotated

import msgspec
from litestar import post
from litestar.exceptions import PermissionDeniedException
from litestar.handlers import BaseRouteHandler
from litestar.params import FromPath, JSONBody

from calls.facts import LeadHow
from cti.control import LeadJoin, LeadLeave, LeadTakeOver
from cti.desk.entrance import Asked, Doors, known
from cti.desk.house import House
from cti.desk.roles import only
from cti.desk.seats import SEAT, done
from cti.status import Done

LONGEST_SEAT = 20
"""Characters of a seat's number."""


class OwnSeat(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """At which seat the lead's own telephone is, or page."""

    seat: Annotated[str, msgspec.Meta(min_length=1, max_length=LONGEST_SEAT)] = msgspec.field(name="from")


def leads(doors: Doors, house: House) -> list[BaseRouteHandler]:
    """The routes."""
    lead = only("lead")

    @post(SEAT + "/listen", opt=lead, status_code=200)
    async def listen(seat: FromPath[str], data: JSONBody[OwnSeat], request: Asked) -> Done:
        """Hear the conversation there, and be heard by nobody: rings the lead's telephone, and answers when it is so."""
        return await _join(seat, data.seat, request, "listen")

    @post(SEAT + "/whisper", opt=lead, status_code=200)
    async def whisper(seat: FromPath[str], data: JSONBody[OwnSeat], request: Asked) -> Done:
        """The same, heard by the adviser alone."""
        return await _join(seat, data.seat, request, "whisper")

    @post(SEAT + "/barge", opt=lead, status_code=200)
    async def barge(seat: FromPath[str], data: JSONBody[OwnSeat], request: Asked) -> Done:
        """The same, heard by adviser and caller."""
        return await _join(seat, data.seat, request, "barge")

    @post(SEAT + "/take-over", opt=lead, status_code=200)
    async def take_over(seat: FromPath[str], data: JSONBody[OwnSeat], request: Asked) -> Done:
        """Take the call from the adviser there: rings the lead's telephone, at which they must sit; answering it is enough."""
        if house.sits(data.seat) != known(request)[0].account.adviser:
            raise PermissionDeniedException(f"you do not sit at {data.seat}")
        _write(seat, request, f"take-over from {data.seat}")
        return await done(house, LeadTakeOver(seat, data.seat))

    @post(SEAT + "/leave", opt=lead, status_code=200)
    async def leave(seat: FromPath[str], request: Asked) -> Done:
        """End it, whichever lead began it; the conversation goes on."""
        _write(seat, request, "leave")
        return await done(house, LeadLeave(seat))

    async def _join(seat: str, own: str, request: Asked, how: LeadHow) -> Done:
        if house.sits(own) not in {None, known(request)[0].account.adviser}:
            raise PermissionDeniedException(f"somebody else sits at {own}")
        _write(seat, request, f"{how} from {own}")
        return await done(house, LeadJoin(seat, own, how))

    def _write(seat: str, request: Asked, what: str) -> None:
        """Before it begins: whoever hears anything is in the log already."""
        sits = house.sits(seat) or "nobody"
        doors.audit.write("conversation_joined", known(request)[0].account.name, f"{seat} {sits} {what}")

    return [listen, whisper, barge, take_over, leave]
