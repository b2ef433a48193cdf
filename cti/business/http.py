"""One question to the system, and one answer. What matters is told apart here: what was never sent, and what may have been.

    NotSent     nobody was reached: nothing was changed
    NotNow      it says so itself: nothing was changed
    Misunderstood   it did not do it, since it knows neither us nor the question: nothing was changed
    Lost        it was asked, and no answer came of which one could make anything

Each question has a connection of its own. On one that is kept, a second answer to the last citizen's question would be
taken for the answer to the next one's, and a connection that has died unseen looks as if the question had been sent.
Nothing here logs or quotes a body, nor the message of an error that may hold a part of one.
"""

from __future__ import annotations

import re
from types import TracebackType
from typing import Annotated, Self, TypeVar

import aiohttp
import msgspec
import structlog

from calls.errors import RexianError
from ivr.business import NotAllowed

T = TypeVar("T")

CONNECT_S = 1.0
LONGEST_ANSWER = 1_000_000
"""Bytes. A year of contributions is some ten thousand."""

REFUSED = (403, 409)
MISUNDERSTOOD = (400, 401, 404, 405)
_WHERE = re.compile(r"`(\$[\w.\[\]]*)`$")

log = structlog.get_logger(__name__)


class NotSent(RexianError):
    """Nobody was reached."""


class NotNow(RexianError):
    """It says that it cannot now."""


class Misunderstood(RexianError):
    """It does not know us, or not the question."""


class Lost(RexianError):
    """It was asked, and what came of it is not known."""


class Problem(msgspec.Struct, frozen=True):
    """How the contract has a refusal. A code is a word of ours and cannot hold anything else."""

    code: Annotated[str, msgspec.Meta(pattern="^[a-z_]{1,40}$")]


class Asking:
    """The HTTP side of one system. An async context manager. `whole_s` is for a question with its answer."""

    def __init__(self, url: str, token: str, whole_s: float) -> None:
        self._url, self._token = url.rstrip("/"), token
        self._timeout = aiohttp.ClientTimeout(total=whole_s, connect=CONNECT_S, sock_connect=CONNECT_S)
        self._opened: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._opened = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(force_close=True),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"},
            timeout=self._timeout,
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        await self._session.close()

    @property
    def _session(self) -> aiohttp.ClientSession:
        if self._opened is None:
            raise RuntimeError("the way to the business system is not open: use `async with`")
        return self._opened

    async def ask(self, operation: str, question: object, answer: type[T], key: str | None = None) -> T:
        """The answer. Raises NotAllowed, or one of the four of this module."""
        headers = {"Idempotency-Key": key} if key is not None else {}
        status, body = await self._exchange("POST", f"/v1/{operation}", msgspec.json.encode(question), headers)
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
            status, body = await self._exchange("GET", "/health", b"", {})
            return status == 200 and _decoded("health", body, Health).ready
        except (NotSent, Lost):
            return False

    async def _exchange(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> tuple[int, bytes]:
        try:
            async with self._session.request(
                method, self._url + path, data=body, headers=headers, allow_redirects=False
            ) as answer:
                return answer.status, await _read(answer)
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            raise NotSent(f"{path}: {type(error).__name__}") from None
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise Lost(f"{path}: {type(error).__name__}") from None


class Health(msgspec.Struct, frozen=True):
    """What /health answers."""

    ready: bool


async def _read(answer: aiohttp.ClientResponse) -> bytes:
    body = bytearray()
    async for part in answer.content.iter_any():
        body += part
        if len(body) > LONGEST_ANSWER:
            raise aiohttp.ClientPayloadError
    return bytes(body)


def _decoded(operation: str, body: bytes, answer: type[T]) -> T:
    try:
        return msgspec.json.decode(body, type=answer)
    except msgspec.ValidationError as error:  # its message may quote the body; where it stands does not
        where = _WHERE.search(str(error))
        log.warning("an answer is not as the contract has it", operation=operation, where=where[1] if where else "$")
    except (msgspec.DecodeError, UnicodeDecodeError):
        log.warning("an answer is no JSON", operation=operation, length=len(body))
    raise Lost(f"{operation}: the answer makes no sense")
