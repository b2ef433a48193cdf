"""Texts (短信) to a citizen's telephone, as a Protocol; the edge implements it by a carrier's gateway.

What is sent is what was said: a text is made of sentences of the catalogue, with the same values in their slots. It goes to
the number that the account is bound to, which the citizen has proved nothing about and need not: whoever holds it may know.
Nobody waits for a text: it is queued here, and sent when the gateway takes it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import msgspec

from calls.facts import Whose
from calls.words import Language
from ivr.caller import Value


class Said(msgspec.Struct, frozen=True):
    """A sentence of the catalogue, and what stands in its slots."""

    key: str
    values: Mapping[str, Value] = {}

    def __repr__(self) -> str:
        return f"Said({self.key})"


class Text(msgspec.Struct, frozen=True):
    """What goes to whom. Never logged: its repr says neither."""

    call_id: str
    about: str
    """The service that it is about: all that a fact holds of what it says."""
    number: str
    """E.164."""
    whose: Whose
    language: Language
    said: tuple[Said, ...]

    def __repr__(self) -> str:
        return f"Text({self.call_id}, {self.about}, {self.whose})"


class Texts(Protocol):
    """The way to telephones, whatever it is."""

    @property
    def offered(self) -> bool:
        """Whether there is one, and it works as far as is known; else no text is offered to anybody."""
        ...

    def queue(self, text: Text) -> None:
        """Send it, whatever becomes of this controller; once it is on the disk (`Caller.safe`) it may be promised.

        The same text of the same call is sent once, however often it is queued. Never blocks."""
        ...

    def send_secret(self, text: Text) -> None:
        """Send it now or never: what it says is written down nowhere, and is lost with this controller. Never blocks."""
        ...
