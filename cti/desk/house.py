"""What the desk may do with the hotline: what the command line may, by the same requests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import msgspec

from cti.board import Board
from cti.categories import Category
from cti.control import AnyRequest
from cti.desk.feed import Feed
from cti.forms import Forms
from cti.status import Status


class PagePhone(msgspec.Struct, frozen=True):
    """What a page registers with: good until the page of the seat is opened anew."""

    user: str
    password: str

    def __repr__(self) -> str:
        return f"PagePhone({self.user!r}, ...)"


class House(Protocol):
    """The hotline, as the desk sees it."""

    feed: Feed
    board: Board
    forms: Forms

    def categories(self) -> tuple[Category, ...]:
        """What conversations are about."""
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

    async def open_page(self, seat: str, adviser: str) -> PagePhone:
        """Let the adviser's page be the telephone of this seat. Raises RexianError with the reason when it cannot be."""
        ...

    async def answer(self, request: AnyRequest) -> msgspec.Struct:
        """Have something done. Raises RexianError with the reason when it cannot be."""
        ...
