"""The one door through which a flow speaks to a caller.

A flow is a coroutine that awaits these calls one after the other. The edge implements `Caller` on a telephone line, the
tests by a script, and both keep the promises written here. When the caller hangs up, the flow's task is cancelled:
flows never ask whether somebody is still there, and what must be kept of a moment is recorded in a `finally`.
"""

from __future__ import annotations

from collections.abc import Awaitable
from contextlib import AbstractAsyncContextManager
from datetime import date, time
from typing import Protocol, TypeVar

import msgspec

from calls.clock import Clock
from calls.facts import AnyFact
from calls.words import Language

T = TypeVar("T")

Value = str | int | time | date
"""What may stand in a sentence's slot: a number or name, digits, a time of day, or a day."""


class Heard(msgspec.Struct, frozen=True):
    """How much of what was said the caller heard."""

    ms: int
    """Milliseconds of sound."""
    whole: bool
    """True when nothing was cut off."""
    key: str | None = None
    """The key that cut it off."""


class Caller(Protocol):
    """Somebody on the line."""

    language: Language
    """Spoken from the next sentence on; a flow may change it."""
    slow: bool
    """Whether everything is said slowly, from the next sentence on; a flow may change it."""

    @property
    def call_id(self) -> str:
        """The call, as in every fact."""
        ...

    @property
    def clock(self) -> Clock:
        """Where durations come from."""
        ...

    async def say(self, *keys: str, skippable: bool = True, **values: Value) -> Heard:
        """Say sentences of the catalogue one after the other; `values` fill the slots of all of them.

        A key cuts a skippable sentence off, and one that was pressed before keeps it from beginning; that key stays for
        the next `key`. What is not skippable is said to its end whatever is pressed."""
        ...

    async def key(self, wait_s: float) -> str | None:
        """The next key (0-9, *, #), the oldest one pressed first; None when there is none within `wait_s` seconds."""
        ...

    def forget_keys(self) -> None:
        """Drop the keys that were pressed and not asked for yet."""
        ...

    def private(self) -> AbstractAsyncContextManager[None]:
        """Inside, what is keyed is a secret: nothing of it is recorded, logged, published or kept, nor does anybody hear it."""
        ...

    async def while_waiting(self, work: Awaitable[T]) -> T:
        """Wait for something of ours, such as a business system; the caller is told so, and hears music, when it takes long."""
        ...

    async def safe(self) -> bool:
        """Wait until all that was recorded is on the disk; False when the disk does not take it in time.

        What is promised to the caller is recorded, and safe, before it is said."""
        ...

    def record(self, fact: AnyFact) -> None:
        """Keep a fact. Never blocks and never raises."""
        ...
