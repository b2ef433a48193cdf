"""What the desk may do with the hotline: by the same requests as the command line, and by some that it alone makes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import msgspec

from cti.board import Board
from cti.categories import Category
from cti.control import AnyRequest
from cti.desk.feed import Feed
from cti.followups import FollowUps
from cti.forms import Forms
from cti.notices import Notices
from cti.skills import Skills
from cti.status import Status
from cti.store import Shift
from cti.whowaits import WhoWaits
from queues import Adviser


class PagePhone(msgspec.Struct, frozen=True):
    """What a page registers with: good until the page of the seat is opened anew."""

    user: str
    password: str

    def __repr__(self) -> str:
        return f"PagePhone({self.user!r}, ...)"


class Limits(msgspec.Struct, frozen=True):
    """From when on something on the floor is an alarm. Seconds."""

    wait_s: float
    """A caller's wait."""
    call_s: float
    """A call."""
    wrap_up_s: float
    """Wrap-up."""
    hold_s: float = 60.0
    """A caller on hold: the ministry's sheet (质量考评) allows no more."""


class House(Protocol):
    """The hotline, as the desk sees it."""

    feed: Feed
    board: Board
    forms: Forms
    notices: Notices
    skills: Skills
    follow_ups: FollowUps

    def categories(self) -> tuple[Category, ...]:
        """What conversations are about."""
        ...

    def advisers(self) -> Mapping[str, Adviser]:
        """Who takes calls here, by number."""
        ...

    def behind(self) -> int:
        """How many facts are not in the database yet."""
        ...

    async def shift(self, adviser: str) -> Shift:
        """What this adviser did today. Raises NotPossible or TimeoutError when the database does not tell."""
        ...

    def status(self) -> Status:
        """How it is."""
        ...

    def reported(self, headers: Mapping[str, str], body: bytes) -> int:
        """Take a delivery report of the SMS gateway; an HTTP status."""
        ...

    def outside(self) -> Sequence[tuple[str, str]]:
        """Whom advisers may ask outside: name and number."""
        ...

    def sits(self, seat: str) -> str | None:
        """The adviser's number of who sits there; None: nobody does. Raises NotPossible when there is no such seat."""
        ...

    def here(self) -> list[str]:
        """The adviser's number of everybody who sits at a seat."""
        ...

    def who_waits(self) -> WhoWaits:
        """Everybody in the waiting room."""
        ...

    def limits(self) -> Limits:
        """From when on something is an alarm."""
        ...

    async def open_page(self, seat: str, adviser: str) -> PagePhone:
        """Let the adviser's page be the telephone of this seat. Raises RexianError with the reason when it cannot be."""
        ...

    async def answer(self, request: AnyRequest) -> msgspec.Struct:
        """Have something done. Raises RexianError with the reason when it cannot be."""
        ...
