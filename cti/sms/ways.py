"""What a way to telephones is. To add one, write a class with these methods, and the setting that names it.

hand_over ──> "taken"       a report will say what became of it
          ──> "delivered"   there is nothing more to come
          ──> NotTaken      perhaps it was, perhaps not: it is handed over again, by the same name
          ──> Refused       never, whoever asks
"""

from __future__ import annotations

from typing import Literal, Protocol

import msgspec

from calls.errors import RexianError
from cti.breaker import State

HandedOver = Literal["taken", "delivered"]


class NotTaken(RexianError):
    """Not now, or nobody knows."""


class Refused(RexianError):
    """Such a text, or such a number, will not be taken."""


class Letter(msgspec.Struct, frozen=True):
    """A text as it is handed over. Never logged: its repr says nothing of it."""

    name: str
    """By which it is known on both sides: the same name is the same text, and reaches the telephone once."""
    number: str
    body: str

    def __repr__(self) -> str:
        return f"Letter({self.name})"


class Way(Protocol):
    """A way to telephones."""

    @property
    def state(self) -> State:
        """`closed`: it works; see `cti.breaker`."""
        ...

    async def hand_over(self, letter: Letter) -> HandedOver:
        """Raises NotTaken or Refused."""
        ...

    async def watch(self) -> None:
        """Know how it is, for ever."""
        ...
