"""The routes for team leads on the floor: who waits, and who takes them; a word to advisers; what advisers can do today."""

from __future__ import annotations

from typing import Annotated

import msgspec
from litestar import get, post, put
from litestar.handlers import BaseRouteHandler
from litestar.params import FromPath, JSONBody

from calls.errors import NotPossible
from cti.control import LeadPull
from cti.desk.entrance import Asked, Doors, known
from cti.desk.house import House, Limits
from cti.desk.mine import adviser_of
from cti.desk.roles import by_itself, only
from cti.desk.seats import SEAT
from cti.skills import AllSkills, Wish
from cti.status import Done
from cti.whowaits import WhoWaits

WAITING, LIMITS, SKILLS, NOTICES = "/api/v1/waiting", "/api/v1/limits", "/api/v1/skills", "/api/v1/notices"

LONGEST_NOTICE = 500
"""Characters: what is longer is no word in passing."""


class Visit(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whom: as `GET /api/v1/waiting` has it."""

    visit: Annotated[str, msgspec.Meta(min_length=1, max_length=128)]


class Said(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is to be read, and by whom: an adviser, by number; null: everybody who sits at a seat now."""

    text: Annotated[str, msgspec.Meta(min_length=1, max_length=LONGEST_NOTICE)]
    adviser: Annotated[str, msgspec.Meta(max_length=20)] | None = None

    def __repr__(self) -> str:
        return f"Said(..., {self.adviser!r})"


class Sent(msgspec.Struct, frozen=True):
    """It is on their pages; the feed tells who has read it."""

    notice: str
    to: tuple[str, ...]


def floor(doors: Doors, house: House) -> list[BaseRouteHandler]:
    """The routes."""
    lead = only("lead")

    @get(WAITING, opt=by_itself("lead"), sync_to_thread=False)
    def waiting() -> WhoWaits:
        """Everybody who waits, first turn first."""
        return house.who_waits()

    @get(LIMITS, opt=only("lead", "manager", "operator"), sync_to_thread=False)
    def limits() -> Limits:
        """From when on something on the floor is an alarm."""
        return house.limits()

    @post(SEAT + "/pull", opt=lead, status_code=200)
    async def pull(seat: FromPath[str], data: JSONBody[Visit], request: Asked) -> Done:
        """Give a caller who waits to this seat, out of turn: it rings there at once."""
        sits = house.sits(seat)
        answer = await house.answer(LeadPull(seat, data.visit))
        assert isinstance(answer, Done)
        doors.audit.write("caller_pulled", known(request)[0].account.name, f"{seat} {sits} {data.visit}")
        return answer

    @post(NOTICES, opt=lead, sync_to_thread=False)
    def send(data: JSONBody[Said], request: Asked) -> Sent:
        """Have something read. What it says is in no log."""
        account = known(request)[0].account.name
        if data.adviser is not None and data.adviser not in house.skills.advisers():
            raise NotPossible(f"there is no adviser {data.adviser}")
        to = house.here() if data.adviser is None else [data.adviser]
        notice = house.notices.send(account, data.text, to, everybody=data.adviser is None)
        doors.audit.write("message_sent", account, " ".join((notice.notice, *notice.to)))
        return Sent(notice.notice, notice.to)

    @post(NOTICES + "/{notice:str}/read", opt=only("adviser"), status_code=204, sync_to_thread=False)
    def read(notice: FromPath[str], request: Asked) -> None:
        """The adviser has read it: it goes from their page."""
        house.notices.read(notice, adviser_of(request))

    @get(SKILLS, opt=lead, sync_to_thread=False)
    def skills() -> AllSkills:
        """What every adviser can do now, and what of it was moved today."""
        return house.skills.all()

    @put(SKILLS + "/{adviser:str}", opt=lead, status_code=204, sync_to_thread=False)
    def move_skill(adviser: FromPath[str], data: JSONBody[Wish], request: Asked) -> None:
        """Another level of a skill for the rest of the day."""
        house.skills.move(adviser, data)
        level = "as in the files" if data.level is None else data.level
        doors.audit.write("skill_moved", known(request)[0].account.name, f"{adviser} {data.skill} {level}")

    return [waiting, limits, pull, send, read, skills, move_skill]
