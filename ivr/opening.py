"""The first words of a service, found out by beginning it: a caller who leaves at the first word.

Nothing comes of it: whatever a service does before it says anything, it cannot do here.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any, NoReturn, cast

from calls.clock import Clock
from calls.facts import AnyFact
from calls.words import FIRST_LANGUAGE, Language
from ivr.business import Business
from ivr.caller import Heard, Value
from ivr.line import Line
from ivr.services import SERVICES
from ivr.texts import Texts
from ivr.window import Identification, Window


class _FirstWords(Exception):
    def __init__(self, keys: tuple[str, ...]) -> None:
        self.keys = keys


class _NotHereError(Exception):
    """It wants something first that only a real call has."""


def opening(service: str, line: Line) -> tuple[str, ...] | None:
    """The sentence with which the service begins; None when it does something else before."""
    nothing = _Nothing()
    window = Window(
        caller=_LeavesAtOnce(),
        line=line,
        calling_number=None,
        about=service,
        now=lambda: datetime(2026, 1, 1, tzinfo=UTC),
        identification=cast("Identification", _Nobody()),
        business=cast("Business", nothing),
        texts=cast("Texts", nothing),
        dictate=lambda matter: None,
        offices=lambda area: None,
        reach=lambda reached: None,
        fax=lambda: None,
    )
    work = SERVICES[service](window).__await__()
    try:
        next(work)
    except _FirstWords as said:
        return said.keys[:1]
    except (_NotHereError, StopIteration):
        return None
    finally:
        work.close()
    return None


class _Nothing:
    """What a service may not have before it has said anything."""

    def __getattr__(self, name: str) -> NoReturn:
        raise _NotHereError(name)


class _Nobody(_Nothing):
    """Whose caller has shown nothing yet, and may try."""

    known = None
    tries_left = 1


class _LeavesAtOnce:
    """A caller who hears one word."""

    language: Language = FIRST_LANGUAGE
    slow = False
    call_id = "opening"

    @property
    def clock(self) -> Clock:
        raise _NotHereError

    async def say(self, *keys: str, skippable: bool = True, **values: Value) -> Heard:
        raise _FirstWords(keys)

    async def key(self, wait_s: float) -> str | None:
        raise _NotHereError

    def forget_keys(self) -> None:
        pass

    @asynccontextmanager
    async def private(self) -> AsyncIterator[None]:
        yield

    async def while_waiting(self, work: Awaitable[Any]) -> Any:
        raise _NotHereError

    async def safe(self) -> bool:
        raise _NotHereError

    def record(self, fact: AnyFact) -> None:
        pass
