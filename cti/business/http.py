"""One question to the system, and one answer. What matters is told apart here: what was never sent, and what may have been.

    NotSent     nobody was reached: nothing was changed
    NotNow      it says so itself: nothing was changed
    Misunderstood   it did not do it, since it knows neither us nor the question: nothing was changed
    Lost        it was asked, and no answer came of which one could make anything

The first and the last are those of `cti.exchange`. Nothing here logs or quotes a body, nor the message of an error that may
hold a part of one.
"""

from __future__ import annotations

import re
from types import TracebackType
from typing import Annotated, Self, TypeVar

import msgspec
import structlog

from calls.errors import RexianError
from cti.exchange import Exchange, Lost, NotSent
from ivr.business import NotAllowed

T = TypeVar("T")

REFUSED = (403, 409)
MISUNDERSTOOD = (400, 401, 404, 405)
_WHERE = re.compile(r"`(\$[\w.\[\]]*)`$")

log = structlog.get_logger(__name__)


class NotNow(RexianError):
    """It says that it cannot now."""


class Misunderstood(RexianError):
    """It does not know us, or not the question."""


class Problem(msgspec.Struct, frozen=True):
    """How the contract has a refusal. A code is a word of ours and cannot hold anything else."""

    code: Annotated[str, msgspec.Meta(pattern="^[a-z_]{1,40}$")]


class Asking:
    """The HTTP side of one system. An async context manager. `whole_s` is for a question with its answer."""

    def __init__(self, url: str, token: str, whole_s: float) -> None:
        self._exchange = Exchange(url, whole_s, {"Authorization": f"Bearer {token}"})

    async def __aenter__(self) -> Self:
        await self._exchange.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        await self._exchange.__aexit__(kind, error, where)

    async def ask(self, operation: str, question: object, answer: type[T], key: str | None = None) -> T:
        """The answer. Raises NotAllowed, or one of the four of this module."""
        headers = {"Idempotency-Key": key} if key is not None else {}
        status, body = await self._exchange.request("POST", f"/v1/{operation}", msgspec.json.encode(question), headers)
        if status == 200:
            return _decoded(operation, body, answer)
        if status in REFUSED:
            code = _decoded(operation, body, Problem).code
            if status == 409:
                log.error("the key of a change was used for another one", operation=operation)
            raise NotAllowed(f"{operation}: {code}")
        log.warning("the business system did not answer the question", operation=operation, status=status)
        if status == 503:
            raise NotNow(f"{operation}: it cannot now")
        if status in MISUNDERSTOOD:
            raise Misunderstood(f"{operation}: it was not understood (status {status})")
        raise Lost(f"{operation}: status {status}")

    async def healthy(self) -> bool:
        """Whether it says that it can answer questions."""
        try:
            status, body = await self._exchange.request("GET", "/health")
            return status == 200 and _decoded("health", body, Health).ready
        except (NotSent, Lost):
            return False


class Health(msgspec.Struct, frozen=True):
    """What /health answers."""

    ready: bool


def _decoded(operation: str, body: bytes, answer: type[T]) -> T:
    try:
        return msgspec.json.decode(body, type=answer)
    except msgspec.ValidationError as error:  # its message may quote the body; where it stands does not
        where = _WHERE.search(str(error))
        log.warning("an answer is not as the contract has it", operation=operation, where=where[1] if where else "$")
    except (msgspec.DecodeError, UnicodeDecodeError):
        log.warning("an answer is no JSON", operation=operation, length=len(body))
    raise Lost(f"{operation}: the answer makes no sense")
