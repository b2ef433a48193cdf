"""The routes by which an adviser asks somebody else about their call, hands the caller over, or has all three speak."""

from __future__ import annotations

from typing import Annotated

import msgspec
from litestar import get, post
from litestar.exceptions import ClientException
from litestar.handlers import BaseRouteHandler
from litestar.params import FromPath, JSONBody

from cti.control import SeatConference, SeatConsult, SeatHandOver, SeatTakeBack
from cti.desk.entrance import Asked, Doors
from cti.desk.house import House
from cti.desk.roles import only
from cti.desk.seats import SEAT, act
from cti.settingsrules import LONGEST_NAME
from cti.status import Done


class Whom(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who is asked about a call: a colleague by number, or somebody outside by name. One of the two."""

    adviser: Annotated[str, msgspec.Meta(min_length=1, max_length=20)] | None = None
    outside: Annotated[str, msgspec.Meta(min_length=1, max_length=LONGEST_NAME)] | None = None


class Allowed(msgspec.Struct, frozen=True):
    """Somebody outside whom advisers may ask, and hand callers over to."""

    name: str
    number: str


class Outside(msgspec.Struct, frozen=True):
    """All of them, in the order of the settings."""

    outside: list[Allowed]


def consulting(doors: Doors, house: House) -> list[BaseRouteHandler]:
    """The routes."""
    adviser, both = only("adviser"), only("adviser", "lead")

    @get("/api/v1/outside", opt=both, sync_to_thread=False)
    def outside() -> Outside:
        """Whom an adviser may ask outside."""
        return Outside([Allowed(name, number) for name, number in house.outside()])

    @post(SEAT + "/consult", opt=adviser, status_code=200)
    async def consult(seat: FromPath[str], data: JSONBody[Whom], request: Asked) -> Done:
        """Ask somebody else about the call; the caller hears music meanwhile."""
        if (data.adviser is None) == (data.outside is None):
            raise ClientException("say one of adviser and outside")
        return await act(doors, house, seat, request, SeatConsult(seat, data.adviser, data.outside), lead=False)

    @post(SEAT + "/conference", opt=adviser, status_code=200)
    async def conference(seat: FromPath[str], request: Asked) -> Done:
        """Adviser, caller and whoever is asked hear each other."""
        return await act(doors, house, seat, request, SeatConference(seat), lead=False)

    @post(SEAT + "/take-back", opt=adviser, status_code=200)
    async def take_back(seat: FromPath[str], request: Asked) -> Done:
        """Let go of whoever is asked; adviser and caller go on."""
        return await act(doors, house, seat, request, SeatTakeBack(seat), lead=False)

    @post(SEAT + "/hand-over", opt=adviser, status_code=200)
    async def hand_over(seat: FromPath[str], request: Asked) -> Done:
        """Leave the caller with whoever is asked; while they still ring, as soon as they answer."""
        return await act(doors, house, seat, request, SeatHandOver(seat), lead=False)

    return [outside, consult, conference, take_back, hand_over]
