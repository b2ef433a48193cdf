"""The way to one Asterisk: one aiohttp session, for the websockets that everything goes by and for ARI's own description.

As little work a message as possible: cookies, header guessing and compression are off. Nothing here logs or quotes a query:
it may hold keyed digits.
"""

from types import TracebackType
from typing import Self

import aiohttp
from yarl import URL

from cti.asterisk.errors import Refused, Unavailable, from_answer
from cti.asterisk.transport import Query, query_string

TIMEOUT_S = 5.0
CLOSE_TIMEOUT_S = 1.0
"""How long a farewell may take; an Asterisk that is frozen does not answer it."""


class Http:
    """The HTTP server of one Asterisk. An async context manager."""

    def __init__(self, url: str, user: str, password: str) -> None:
        """`url` is that of ARI itself, such as `http://127.0.0.1:8088/ari`."""
        self.url = url.rstrip("/")
        self._authorization = {"Authorization": aiohttp.encode_basic_auth(user, password)}
        self._opened: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._opened = aiohttp.ClientSession(
            cookie_jar=aiohttp.DummyCookieJar(),
            headers=self._authorization,
            timeout=aiohttp.ClientTimeout(total=TIMEOUT_S),
            auto_decompress=False,
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._session.close()

    @property
    def _session(self) -> aiohttp.ClientSession:
        if self._opened is None:
            raise RuntimeError("the ARI client is used outside its `async with` block")
        return self._opened

    async def websocket(self, app: str) -> aiohttp.ClientWebSocketResponse:
        """A websocket of the Stasis application `app`, which ends the one before it. Raises Unavailable, Refused."""
        address = self._address("/events", {"app": app, "subscribeAll": False})
        try:
            return await self._session.ws_connect(
                address, timeout=aiohttp.ClientWSTimeout(ws_close=CLOSE_TIMEOUT_S), max_msg_size=0
            )
        except aiohttp.WSServerHandshakeError as error:
            if error.status in (401, 403):
                raise Refused(f"{address}: user or password is wrong: compare the settings with ari.conf") from error
            raise Unavailable(f"{address}: {error.status} {error.message}") from error
        except (aiohttp.ClientError, OSError) as error:
            raise Unavailable(f"{address}: {str(error) or f'no answer within {TIMEOUT_S:g} s'}") from error

    async def document(self, path: str) -> bytes:
        """A file below ARI, such as `/api-docs/channels.json`. Raises AriError."""
        try:
            async with self._session.get(self._address(path), allow_redirects=False) as response:
                answer = await response.read()
        except (aiohttp.ClientError, OSError) as error:
            raise Unavailable(f"{self.url}{path}: {str(error) or f'no answer within {TIMEOUT_S:g} s'}") from error
        if response.status != 200:
            raise from_answer(path, response.status, response.reason or "")
        return answer

    def _address(self, path: str, query: Query | None = None) -> URL:
        return URL(f"{self.url}{path}{query_string(query) if query else ''}", encoded=True)
