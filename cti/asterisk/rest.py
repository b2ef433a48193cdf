"""ARI's requests, by Asterisk's "REST over websocket": a line of JSON there, a line back, on a few connections.

Why not by HTTP: a call takes about twelve requests, and a request by aiohttp costs the controller five times as much (0.12 ms
against 0.025, benchmarks/, decision 0015). Each connection is served by one thread of Asterisk, one request after the other, so
a request goes to the one with the fewest, and a further connection is opened while all are busy.

Asterisk knows a websocket by its application, and a second one of the same name silences the first: so these have names that
nobody else has. They are subscribed to nothing, and hear only answers.
What is not JSON cannot be had this way: recordings are files on this machine. Nothing here logs or quotes a query: it may
hold keyed digits.
"""

import asyncio
from itertools import count
from types import TracebackType
from typing import Self, TypeVar
from uuid import uuid4

import aiohttp
import msgspec
import structlog

from cti.asterisk.errors import NOT_DECODED, AriError, Unavailable, Unreadable, from_answer
from cti.asterisk.http import Http
from cti.asterisk.transport import Query, query_string

REQUEST_TIMEOUT_S = 5.0
CONNECTIONS = 8

T = TypeVar("T")

log = structlog.get_logger(__name__)


class _Request(msgspec.Struct, frozen=True, omit_defaults=True, tag="RESTRequest", tag_field="type"):
    request_id: str
    method: str
    uri: str
    content_type: str | None = None
    message_body: str | None = None


class _Answer(msgspec.Struct, frozen=True):
    """As much as is needed of whatever comes: of an answer, all; of anything else, no `request_id`."""

    request_id: str = ""
    status_code: int = 0
    reason_phrase: str = ""
    message_body: str = ""


class _Fault(msgspec.Struct, frozen=True):
    """The body of an answer that is not a success; some of Asterisk's say `error`, some `message`."""

    message: str = ""
    error: str = ""


_encoder = msgspec.json.Encoder()
_answer = msgspec.json.Decoder(_Answer)
_fault = msgspec.json.Decoder(_Fault)


class Rest:
    """Carries operations to one Asterisk node: the `Transport` of the generated classes. An async context manager."""

    def __init__(self, http: Http, app: str) -> None:
        """`app`: what the names of the connections begin with."""
        self._http, self._name = http, f"{app}-requests-{uuid4().hex[:12]}"
        self._connections: dict[int, _Connection] = {}
        self._opening = asyncio.Lock()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for connection in self._connections.values():
            connection.end()
        await asyncio.gather(*(connection.ended() for connection in self._connections.values()))

    async def send(
        self, operation: str, method: str, path: str, *, query: Query | None = None, body: object = None
    ) -> str:
        """Carry out one operation within REQUEST_TIMEOUT_S and return the bare answer. Raises AriError."""
        uri = path[1:] + query_string(query) if query else path[1:]
        connection = None
        try:
            async with asyncio.timeout(REQUEST_TIMEOUT_S):
                connection = await self._connection()
                answer = await connection.ask(method, uri, body)
        except (aiohttp.ClientError, OSError) as error:
            if connection is not None:  # whatever holds this one up would hold up the next one, too
                connection.end()
            reason = str(error) or f"no answer within {REQUEST_TIMEOUT_S:g} s"
            raise Unavailable(f"{operation}: {self._http.url}: {reason}") from error
        except AriError as error:  # no connection can be made
            raise type(error)(f"{operation}: {error}") from error
        if answer.status_code < 300:
            return answer.message_body
        raise from_answer(operation, answer.status_code, _message(answer))

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

    async def _connection(self) -> "_Connection":
        """The one that is least busy, or a new one. Raises Unavailable, Refused."""
        best = self._best()
        if best is not None and (best.busy == 0 or self._opening.locked()):
            return best
        async with self._opening:
            best = self._best()  # another request may have opened one meanwhile
            if best is not None and (best.busy == 0 or len(self._connections) == CONNECTIONS):
                return best
            number = next(number for number in count() if number not in self._connections)
            connection = _Connection(await self._http.websocket(f"{self._name}-{number}"))
            self._connections[number] = connection
            return connection

    def _best(self) -> "_Connection | None":
        for number in [number for number, connection in self._connections.items() if connection.over]:
            del self._connections[number]
        return min(self._connections.values(), key=lambda connection: connection.busy, default=None)


class _Connection:
    """One websocket, and who waits for an answer on it."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.over = False
        """It is not to be used any more."""
        self._socket = socket
        self._numbers = count()
        self._asked: dict[str, asyncio.Future[_Answer]] = {}
        """What is not answered yet, also if nobody waits for it any more: Asterisk is still at it."""
        self._reader = asyncio.create_task(self._read())

    @property
    def busy(self) -> int:
        """With how many requests."""
        return len(self._asked)

    async def ask(self, method: str, uri: str, body: object) -> _Answer:
        """Raises OSError and aiohttp's errors when the connection breaks."""
        name = str(next(self._numbers))
        request = _Request(name, method, uri)
        if body is not None:
            request = _Request(name, method, uri, "application/json", _encoder.encode(body).decode())
        answer: asyncio.Future[_Answer] = asyncio.get_running_loop().create_future()
        self._asked[name] = answer
        try:
            await self._socket.send_str(_encoder.encode(request).decode())
            return await answer
        finally:
            answer.cancel()

    def end(self) -> None:
        """Use it no more; whoever still waits is told that it broke."""
        self.over = True
        self._reader.cancel()

    async def ended(self) -> None:
        """Wait until nothing is left of it."""
        await asyncio.gather(self._reader, return_exceptions=True)

    async def _read(self) -> None:
        """Hand out answers until the connection ends; one that does not keep to the rules is ended."""
        try:
            async for frame in self._socket:
                answer = _answer.decode(frame.data) if frame.type is aiohttp.WSMsgType.TEXT else None
                if answer is None:
                    break
                asked = self._asked.pop(answer.request_id, None)
                if asked is not None and not asked.done():
                    asked.set_result(answer)
        except NOT_DECODED as error:
            log.warning("ARI answered what cannot be read", error=str(error))
        finally:
            self.over = True
            for asked in self._asked.values():
                if not asked.done():
                    asked.set_exception(ConnectionError("the connection broke"))
            await self._socket.close()


def _message(answer: _Answer) -> str:
    try:
        fault = _fault.decode(answer.message_body)
    except NOT_DECODED:
        return answer.reason_phrase
    return fault.message or fault.error or answer.reason_phrase
