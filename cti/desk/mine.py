"""The routes for an adviser beside the call: their figures of today, whom they are to call, and who else works here."""

from __future__ import annotations

from typing import Literal

import msgspec
import structlog
from litestar import get, post
from litestar.exceptions import PermissionDeniedException
from litestar.handlers import BaseRouteHandler
from litestar.params import FromPath

from calls.errors import NotPossible
from cti.desk.entrance import Asked, Doors, known
from cti.desk.house import House
from cti.desk.roles import by_itself, only
from cti.followups import FollowUp
from cti.store import Shift

FIGURES, FOLLOW_UPS, DIRECTORY = "/api/v1/mine/figures", "/api/v1/mine/follow-ups", "/api/v1/directory"

log = structlog.get_logger(__name__)


class MyFigures(msgspec.Struct, frozen=True):
    """What an adviser did today."""

    figures: Shift | None
    """Null: they cannot be had now."""
    why_no_figures: Literal["", "database_away", "database_slow"]
    behind: int
    """Facts that are not in the database yet: while they are many, the figures are of a time that is past."""


class MyFollowUps(msgspec.Struct, frozen=True):
    """Whom an adviser is to call, what is due first before all else."""

    follow_ups: list[FollowUp]


class Colleague(msgspec.Struct, frozen=True):
    """An adviser, as the others may see them. Where they sit and what they do is in the feed."""

    adviser: str
    """The number (工号)."""
    name: str | None
    """Of the account that works under it; null: there is none."""
    site: str
    """Where they sit; empty: the file says no site."""
    skills: dict[str, int]
    """Skill -> level, 1 to 5: an expert."""
    languages: tuple[str, ...]
    """Beside Mandarin."""


class Directory(msgspec.Struct, frozen=True):
    """Who works here, by number."""

    colleagues: list[Colleague]


def mine(doors: Doors, house: House) -> list[BaseRouteHandler]:
    """The routes."""
    adviser, looks = only("adviser"), by_itself("adviser")
    shown: dict[str, frozenset[str]] = {}
    """By account, what its page was shown last of whom it is to call."""

    @get(FIGURES, opt=looks)
    async def figures(request: Asked) -> MyFigures:
        """What one did today; without the database it says so at once."""
        behind = house.behind()
        try:
            return MyFigures(await house.shift(adviser_of(request)), "", behind)
        except TimeoutError:
            return MyFigures(None, "database_slow", behind)
        except NotPossible as error:
            log.info("an adviser has no figures", error=str(error))
            return MyFigures(None, "database_away", behind)

    @get(FOLLOW_UPS, opt=looks, sync_to_thread=False)
    def follow_ups(request: Asked) -> MyFollowUps:
        """Whom one is to call: promised, or by voice messages. Whoever is new in it is a look in the audit log."""
        account, owed = known(request)[0].account, house.follow_ups.of(adviser_of(request))
        for one in owed:
            if one.id not in shown.get(account.name, ()):
                doors.audit.write("caller_shown", account.name, one.call_id)
        shown[account.name] = frozenset(one.id for one in owed)
        return MyFollowUps(owed)

    @post(FOLLOW_UPS + "/{follow_up:str}/done", opt=adviser, status_code=204, sync_to_thread=False)
    def done(follow_up: FromPath[str], request: Asked) -> None:
        """It need not be done any more."""
        house.follow_ups.done(adviser_of(request), follow_up)

    @get(DIRECTORY, opt=by_itself("adviser", "lead"), sync_to_thread=False)
    def directory() -> Directory:
        """Who works here, what they can do and where they sit."""
        names = {one.adviser: one.name for one in doors.accounts.all() if doors.accounts.get(one.name)}
        return Directory(
            [
                Colleague(number, names.get(number), each.site, each.skills, each.languages)
                for number, each in sorted(house.advisers().items())
            ]
        )

    return [figures, follow_ups, done, directory]


def adviser_of(request: Asked) -> str:
    """The number under which whoever asks works."""
    adviser = known(request)[0].account.adviser
    if adviser is None:
        raise PermissionDeniedException("this is for whoever takes calls")
    return adviser
