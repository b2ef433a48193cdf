"""ARI's REST side over aiohttp: one pool of kept-alive connections, as little work a request as possible.

Why so: a call costs about seven requests, and more than half of the controller's time is spent in the HTTP client. So
cookies, redirects, decompression and header guessing are off, the address is put together by hand, bodies are bytes.
Asterisk closes a connection after 15 idle seconds and refuses more than 100 HTTP sessions: the pool stays below both.

Nothing here logs or quotes a query: it may hold keyed digits.
"""

from types import TracebackType
from typing import Self, TypeVar

import aiohttp
import msgspec
from yarl import URL

from cti.asterisk.errors import NOT_DECODED, Unavailable, Unreadable, from_answer
from cti.asterisk.transport import Query, query_string

REQUEST_TIMEOUT_S = 5.0
KEEPALIVE_S = 10.0
CONNECTIONS = 32

T = TypeVar("T")
_JSON = {"Content-Type": "application/json"}
_ANSWER_HEADERS_SKIPPED = ("Accept", "Accept-Encoding", "User-Agent", "Content-Type")


class Fault(msgspec.Struct, frozen=True):
    """The body of an answer that is not a success; some of Asterisk's say `error`, some `message`."""

    message: str = ""
    error: str = ""


_encoder = msgspec.json.Encoder()
_fault = msgspec.json.Decoder(Fault)


class Http:
    """Carries operations to one Asterisk node: the `Transport` of the generated classes. An async context manager."""

    def __init__(self, url: str, user: str, password: str) -> None:
        """`url` is that of ARI itself, such as `http://127.0.0.1:8088/ari`."""
        self._url = url.rstrip("/")
        self._authorization = {"Authorization": aiohttp.encode_basic_auth(user, password)}
        self._opened: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._opened = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=CONNECTIONS, keepalive_timeout=KEEPALIVE_S),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers=self._authorization,
            skip_auto_headers=_ANSWER_HEADERS_SKIPPED,
            timeout=aiohttp.ClientTimeout(total=REQUEST_TIMEOUT_S),
            auto_decompress=False,
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.session.close()

    @property
    def session(self) -> aiohttp.ClientSession:
        """The open aiohttp session, shared with the event socket."""
        if self._opened is None:
            raise RuntimeError("the ARI client is used outside its `async with` block")
        return self._opened

    def address(self, path: str, query: Query | None = None) -> URL:
        """The whole address of a path below ARI."""
        return URL(f"{self._url}{path}{query_string(query) if query else ''}", encoded=True)

    async def send(
        self, operation: str, method: str, path: str, *, query: Query | None = None, body: object = None
    ) -> bytes:
        """Carry out one operation within REQUEST_TIMEOUT_S and return the bare answer. Raises AriError."""
        data, headers = (None, None) if body is None else (_encoder.encode(body), _JSON)
        url = self.address(path, query)
        try:
            async with self.session.request(method, url, data=data, headers=headers, allow_redirects=False) as response:
                answer = await response.read()
        except (aiohttp.ClientError, OSError) as error:
            reason = str(error) or f"no answer within {REQUEST_TIMEOUT_S:g} s"
            raise Unavailable(f"{operation}: {self._url}: {reason}") from error
        if response.status < 300:
            return answer
        raise from_answer(operation, response.status, _message(answer, response.reason))

    async def fetch(
        self,
        decoder: msgspec.json.Decoder[T],
        operation: str,
        method: str,
        path: str,
        *,
        query: Query | None = None,
        body: object = None,
    ) -> T:
        """Like `send`, with the answer decoded. Raises AriError."""
        answer = await self.send(operation, method, path, query=query, body=body)
        try:
            return decoder.decode(answer)
        except NOT_DECODED as error:
            raise Unreadable(f"{operation}: {error}") from error


def _message(answer: bytes, reason: str | None) -> str:
    try:
        fault = _fault.decode(answer)
    except NOT_DECODED:
        return reason or ""
    return fault.message or fault.error or reason or ""
