"""One request to somebody else's system over HTTP, and its answer. What was never sent is told from what may have been.

    NotSent     nobody was reached
    Lost        it was asked, and no answer came of which one could make anything

Each request has a connection of its own. On one that is kept, a second answer to the last request would be taken for the
answer to the next one, and a connection that has died unseen looks as if the request had been sent. Nothing here logs or
quotes a body, nor the message of an error that may hold a part of one.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import TracebackType
from typing import Self

import aiohttp

from calls.errors import RexianError

CONNECT_S = 1.0
LONGEST_ANSWER = 1_000_000
"""Bytes. A year of contributions is some ten thousand."""


class NotSent(RexianError):
    """Nobody was reached."""


class Lost(RexianError):
    """It was asked, and what came of it is not known."""


class Exchange:
    """The way to one system. An async context manager. `whole_s` seconds are for a request with its answer."""

    def __init__(self, url: str, whole_s: float, headers: Mapping[str, str]) -> None:
        self._url, self._headers = url.rstrip("/"), {"Content-Type": "application/json", **headers}
        self._timeout = aiohttp.ClientTimeout(total=whole_s, connect=CONNECT_S, sock_connect=CONNECT_S)
        self._opened: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._opened = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(force_close=True),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers=self._headers,
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
            raise RuntimeError("the way to that system is not open: use `async with`")
        return self._opened

    async def request(
        self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> tuple[int, bytes]:
        """The answer's status and body. Raises NotSent or Lost."""
        try:
            async with self._session.request(
                method, self._url + path, data=body, headers=headers, allow_redirects=False
            ) as answer:
                return answer.status, await _read(answer)
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            raise NotSent(f"{path}: {type(error).__name__}") from None
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise Lost(f"{path}: {type(error).__name__}") from None


async def _read(answer: aiohttp.ClientResponse) -> bytes:
    body = bytearray()
    async for part in answer.content.iter_any():
        body += part
        if len(body) > LONGEST_ANSWER:
            raise aiohttp.ClientPayloadError
    return bytes(body)
