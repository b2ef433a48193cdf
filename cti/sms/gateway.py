"""`GatewayWay`: texts by a carrier's gateway that keeps the contract of docs/texts.md.

A text that may have been taken is handed over again by the same name, and the gateway knows it; so there is one answer to
everything that is no answer, and nothing is ever in doubt for longer than the gateway is away.
"""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Self

import msgspec
import structlog

from calls.clock import Clock
from cti.breaker import Breaker, State
from cti.exchange import Exchange, Lost, NotSent
from cti.sms.signing import signed
from cti.sms.ways import HandedOver, Letter, NotTaken, Refused

HEALTH_EVERY_S = 2.0
REFUSED = (400, 403, 409)
"""400 too: a text that the gateway cannot read today it cannot read tomorrow."""

log = structlog.get_logger(__name__)


class _Taken(msgspec.Struct, frozen=True):
    """What the gateway answers."""

    id: str


class _Health(msgspec.Struct, frozen=True):
    ready: bool


class GatewayWay:
    """A `Way` over HTTP. An async context manager. `whole_s` seconds are for a text with its answer."""

    def __init__(self, url: str, key: bytes, clock: Clock, whole_s: float, breaker: Breaker | None = None) -> None:
        self.breaker = breaker or Breaker(clock)
        self._key, self._clock = key, clock
        self._exchange = Exchange(url, whole_s, {})

    async def __aenter__(self) -> Self:
        await self._exchange.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        await self._exchange.__aexit__(kind, error, where)

    @property
    def state(self) -> State:
        """How it stands with the gateway."""
        return self.breaker.state

    async def hand_over(self, letter: Letter) -> HandedOver:
        """Once, if the gateway may be asked now. Raises NotTaken or Refused."""
        if not self.breaker.may_ask():
            raise NotTaken("the gateway is left alone, having failed too often")
        body = msgspec.json.encode({"key": letter.name, "to": letter.number, "body": letter.body})
        try:
            status, answer = await self._exchange.request(
                "POST", "/v1/texts", body, signed(self._key, body, self._clock)
            )
            if status == 200:
                msgspec.json.decode(answer, type=_Taken)
        except (NotSent, Lost, msgspec.DecodeError, UnicodeDecodeError) as error:
            self._count(worked=False)
            raise NotTaken(type(error).__name__) from None
        self._count(worked=status in (200, *REFUSED))
        if status in REFUSED:
            log.error("the gateway refuses a text", text=letter.name, status=status)
            raise Refused(f"status {status}")
        if status != 200:
            log.warning("the gateway did not take a text", text=letter.name, status=status)
            raise NotTaken(f"status {status}")
        return "taken"

    async def watch(self) -> None:
        """Ask for its health, for ever: it is known to be away before a text is offered, and to be back."""
        while True:
            if self.breaker.may_ask():
                self._count(worked=await self._healthy())
            await asyncio.sleep(HEALTH_EVERY_S)

    async def _healthy(self) -> bool:
        try:
            status, answer = await self._exchange.request("GET", "/health")
            return status == 200 and msgspec.json.decode(answer, type=_Health).ready
        except (NotSent, Lost, msgspec.DecodeError, UnicodeDecodeError):
            return False

    def _count(self, *, worked: bool) -> None:
        before = self.breaker.state
        if worked:
            self.breaker.worked()
        else:
            self.breaker.failed()
        if before != self.breaker.state:
            log.warning("the texting gateway is seen otherwise", state=self.breaker.state)
