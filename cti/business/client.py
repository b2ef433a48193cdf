"""`HttpBusiness`: the port of `ivr.business`, on a system that keeps the contract of docs/business.md.

A read is asked again when it fails. A change is asked again too, with the same key, but only while what became of it is not
known, and by the first definite answer it is known. If none comes, OutcomeUnknown says so: "it is done" and "it is not
done" would both be guesses, and the caller acts on them.

To add an operation: its method here, its shapes below, both sides of tests/contract/test_business.py.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from types import TracebackType
from typing import Self, TypeVar

import msgspec
import structlog

from cti.breaker import Breaker
from cti.business.http import Asking, Misunderstood, NotNow
from cti.exchange import Lost, NotSent
from ivr.business import (
    Card,
    Citizen,
    Contribution,
    Done,
    Identity,
    Insurance,
    NotAllowed,
    NotAvailable,
    Office,
    OutcomeUnknown,
    Pension,
)

T = TypeVar("T")

PAUSES_S = (0.1, 0.3)
"""Before each further question, and up to as much again by chance, so that callers who failed together do not ask together."""
HEALTH_EVERY_S = 2.0

log = structlog.get_logger(__name__)


class Verified(msgspec.Struct, frozen=True):
    citizen: Citizen | None


class BoundNumber(msgspec.Struct, frozen=True):
    number: str | None


class CardAnswer(msgspec.Struct, frozen=True):
    card: Card | None


class Insurances(msgspec.Struct, frozen=True):
    insurances: list[Insurance]


class PensionAnswer(msgspec.Struct, frozen=True):
    pension: Pension | None


class Contributions(msgspec.Struct, frozen=True):
    contributions: list[Contribution]


class Offices(msgspec.Struct, frozen=True):
    offices: list[Office]


class HttpBusiness:
    """A `Business` over HTTP. An async context manager; `watch` runs beside it."""

    def __init__(
        self,
        asking: Asking,
        breaker: Breaker,
        *,
        pauses_s: Sequence[float] = PAUSES_S,
        dice: random.Random | None = None,
    ) -> None:
        self.breaker = breaker
        self._asking, self._pauses_s = asking, pauses_s
        self._dice = dice or random.Random()

    async def __aenter__(self) -> Self:
        await self._asking.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        await self._asking.__aexit__(kind, error, where)

    @property
    def problem(self) -> str | None:
        """What stands in the way of every question, for people; None: nothing that is known."""
        if self.breaker.state == "closed":
            return None
        return (
            "the social-security system does not answer; callers are told that it is not possible now. "
            "Mend: see business_url, and that system"
        )

    async def watch(self) -> None:
        """Ask for its health, for ever: it is known to be away before a citizen finds out, and to be back."""
        while True:
            await self.look()
            await asyncio.sleep(HEALTH_EVERY_S)

    async def look(self) -> None:
        """Ask for its health once, when it may be asked at all."""
        if self.breaker.may_ask():
            self._count(worked=await self._asking.healthy())

    # --- who it is

    async def verify(self, identity: Identity, pin: str) -> Citizen | None:
        """Who that is, if the PIN is theirs."""
        return (await self._read("verify", {"identity": identity, "pin": pin}, Verified)).citizen

    async def bound_number(self, identity: Identity) -> str | None:
        """The telephone number that the account is bound to."""
        return (await self._read("bound-number", {"identity": identity}, BoundNumber)).number

    async def verify_by_number(self, identity: Identity, number: str) -> Citizen | None:
        """Who that is, to somebody who has proved to hold that number."""
        return (await self._read("verify-by-number", {"identity": identity, "number": number}, Verified)).citizen

    # --- what they may know

    async def card(self, citizen: Citizen) -> Card | None:
        """Their card."""
        return (await self._read("card", {"citizen": citizen}, CardAnswer)).card

    async def insurances(self, citizen: Citizen) -> Sequence[Insurance]:
        """Their accounts."""
        return (await self._read("insurances", {"citizen": citizen}, Insurances)).insurances

    async def pension(self, citizen: Citizen) -> Pension | None:
        """What they are paid."""
        return (await self._read("pension", {"citizen": citizen}, PensionAnswer)).pension

    async def contributions(self, citizen: Citizen, year: int) -> Sequence[Contribution]:
        """All that was paid in that year."""
        asked = {"citizen": citizen, "year": year}
        return (await self._read("contributions", asked, Contributions)).contributions

    async def offices(self, area: str) -> Sequence[Office]:
        """Those of that area."""
        return (await self._read("offices", {"area": area}, Offices)).offices

    # --- what they may change

    async def report_loss(self, citizen: Citizen, key: str) -> Done:
        """Block the card."""
        return await self._change("card/report-loss", {"citizen": citizen}, key)

    async def undo_loss(self, citizen: Citizen, key: str) -> Done:
        """Unblock it."""
        return await self._change("card/undo-loss", {"citizen": citizen}, key)

    async def activate_card(self, citizen: Citizen, key: str) -> Done:
        """Activate it."""
        return await self._change("card/activate", {"citizen": citizen}, key)

    async def reset_pin(self, citizen: Citizen, pin: str, key: str) -> Done:
        """Another PIN."""
        return await self._change("pin/reset", {"citizen": citizen, "pin": pin}, key)

    # --- how it is asked

    async def _read(self, operation: str, question: object, answer: type[T]) -> T:
        for pause_s in (*self._pauses_s, None):
            try:
                return await self._ask(operation, question, answer)
            except (NotSent, NotNow, Lost) as error:
                reason = str(error)
            except Misunderstood as error:
                raise NotAvailable(str(error)) from None
            if pause_s is not None:
                await self._pause(pause_s)
        log.warning("the business system is asked no more", reason=reason)
        raise NotAvailable(reason)

    async def _change(self, operation: str, question: object, key: str) -> Done:
        in_doubt = False
        for pause_s in (*self._pauses_s, None):
            try:
                return await self._ask(operation, question, Done, key)
            except Lost as error:
                in_doubt, reason = True, str(error)
            except (NotSent, NotNow, Misunderstood) as error:
                reason = str(error)
            if not in_doubt:
                raise NotAvailable(reason)
            if pause_s is not None:
                await self._pause(pause_s)
        log.error("what became of a change is not known", operation=operation, reason=reason)
        raise OutcomeUnknown(reason)

    async def _ask(self, operation: str, question: object, answer: type[T], key: str | None = None) -> T:
        """Once, if it may be asked now; what came of it is told to the breaker."""
        if not self.breaker.may_ask():
            raise NotSent(f"{operation}: it is left alone, having failed too often")
        try:
            found = await self._asking.ask(operation, question, answer, key)
        except NotAllowed:
            self._count(worked=True)
            raise
        except (NotSent, NotNow, Misunderstood, Lost):
            self._count(worked=False)
            raise
        self._count(worked=True)
        return found

    def _count(self, *, worked: bool) -> None:
        before = self.breaker.state
        if worked:
            self.breaker.worked()
        else:
            self.breaker.failed()
        if before != self.breaker.state:
            log.warning("the business system is seen otherwise", state=self.breaker.state)

    async def _pause(self, pause_s: float) -> None:
        await asyncio.sleep(pause_s * (1 + self._dice.random()))
