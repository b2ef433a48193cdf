"""The window that a service is given at: the caller, the line, and whatever the world behind it offers.

A service knows nothing beyond this. The edge fills it on a telephone line, the tests by hand.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Literal, Protocol

import msgspec

from calls.facts import FaxResult, MessagePurpose
from calls.words import Language
from faxes import Sheet
from ivr.business import Business, Citizen, Identity, Office
from ivr.caller import Caller
from ivr.line import Line
from ivr.next import Reached
from ivr.texts import Texts

DictationEnded = Literal["key", "person", "quiet", "limit"]
"""What ended it: the caller's key, the one that asks for a person, a while of silence, or the longest time that there is."""


class Matter(msgspec.Struct, frozen=True, kw_only=True):
    """What a caller has to say to the machine."""

    about: str
    """The choice or the queue that led there."""
    within_days: int
    """Working days until it is to be answered."""
    purpose: MessagePurpose = "message"
    visit: str | None = None
    """The visit whose conversation a complaint is about."""
    adviser: str | None = None
    """The adviser in that conversation."""


class Talk(msgspec.Struct, frozen=True):
    """A conversation that the caller has had in this call."""

    visit: str
    adviser: str


class Dictation(Protocol):
    """What a caller says to the machine, while it is recorded and afterwards."""

    @property
    def message(self) -> str:
        """Its name; the recording bears it."""
        ...

    @property
    def begun_at(self) -> datetime:
        """When it began, UTC."""
        ...

    @property
    def length_ms(self) -> int:
        """How long was recorded until now."""
        ...

    @property
    def spoken_ms(self) -> int:
        """How long of it the caller spoke, as far as can be told: what is quieter than a voice is not counted."""
        ...

    async def take(self, most_s: float, quiet_s: float) -> DictationEnded:
        """Record until a key, `quiet_s` seconds of silence, or `most_s` seconds; the key is not left for others.

        A hang-up cancels this, and what was said until then is there."""
        ...

    def drop(self) -> None:
        """It is no message: what was recorded is removed. Whatever is not dropped is kept."""
        ...


class Fax(Protocol):
    """Pages for the fax machine that the caller calls from, on this very call."""

    async def send(self, document: str, what: Path | Sheet) -> FaxResult:
        """Send a file's pages, or words laid out, which takes some 20 s a page; `document` is what facts call it.

        A hang-up cancels this; what was sent until then is told all the same."""
        ...


class Identification(Protocol):
    """Who the caller has shown to be, and how often they may still try; so many tries a call, a day, and an account."""

    @property
    def known(self) -> Citizen | None:
        """Who this is, shown already in this call."""
        ...

    @property
    def tries_left(self) -> int:
        """In this call."""
        ...

    async def verify(self, identity: Identity, pin: str) -> Citizen | None:
        """One try. None when it failed, or would not have been let through whatever was keyed. Raises NotAvailable."""
        ...

    async def send_code(self, identity: Identity, language: Language) -> None:
        """One try, by a code: send one to the number that this account is bound to, in that language, if there is such an
        account, it has one, and the try is let through; nothing tells whether it was sent. Raises NotAvailable."""
        ...

    async def verify_code(self, code: str) -> Citizen | None:
        """The same try: who this is, if that is the code that was sent last and its time is not over. Good for one guess.

        Raises NotAvailable."""
        ...

    async def bound_number(self) -> str | None:
        """The telephone number that the account of whoever is known is bound to, E.164; None when there is none, or nobody
        is known. Raises NotAvailable."""
        ...


class Window(msgspec.Struct, frozen=True):
    """What a service has to do with."""

    caller: Caller
    line: Line
    calling_number: str | None
    """E.164; proves nothing. None when withheld."""
    about: str
    """What the caller came for, where that is known: the name of the choice or queue that led here."""
    now: Callable[[], datetime]
    """UTC."""
    identification: Identification
    business: Business
    texts: Texts
    dictate: Callable[[Matter], Dictation | None]
    """Something to be taken down; None while nothing can be recorded."""
    offices: Callable[[str], Sequence[Office] | None]
    """Those of an area, the nearest first, fetched and rendered ahead; None while they are not known."""
    reach: Callable[[Reached], None]
    """To be told how far the caller's keys have led."""
    fax: Callable[[], Fax | None]
    """A fax to be sent; None while there are as many as can be."""
    talk: Talk | None = None
    """The conversation that is just over; None: there was none."""

    @property
    def key_wait_s(self) -> float:
        """How long this caller is left for a key, in seconds."""
        return self.line.key_wait_s * (self.line.slow_waits if self.caller.slow else 1.0)

    def after(self, talk: Talk | None) -> Window:
        """The same for somebody who has something to say about what was rated: a conversation, or the machine (None)."""
        return msgspec.structs.replace(self, about="rating", talk=talk)

    def for_(self, about: str) -> Window:
        """The same for somebody who came for that."""
        return msgspec.structs.replace(self, about=about)
