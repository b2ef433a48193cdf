"""ARI's event socket: read for ever, reconnect for ever, miss nothing silently.

Theory of operation, of one connection:

1. A reader task decodes each message and keeps it; Asterisk cuts off a reader that lags (about 1,450 unread events, 100 ms
   a write).
2. Meanwhile the filter is set, so that Asterisk sends only what somebody uses, and it is proved that events come.
3. `on_connected` is awaited: events of the gap are lost for good, so the owner asks Asterisk what is still there, and
   subscribes to what it needs.
4. Only then are the kept events handed on, in order, and from now on each one by the reader itself.
5. When the connection ends, it starts again at 1 after a pause; what was kept and not handed on is of the gap then.

That events come is proved again and again, by one of our own: Asterisk tells it to us, or the connection is given up. A
frozen Asterisk is noticed so, and one whose clearing away of an old connection overtook the new one: it deactivates the
application by its name, and the new connection stays open, obeyed and deaf for ever.

A channel that is in our hands and whose endpoint is subscribed to is told of twice, letter by letter the same, time stamp
included: the second one is dropped.

A message that cannot be read never stops the socket: it is counted, and logged once a type; nor does one that its
receiver chokes on, because all the other calls hear through here too. Another controller with the same application name
makes this one deaf without a word on the connection, except ApplicationReplaced: `run` raises.
"""

import asyncio
import random
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Iterable
from typing import NoReturn

import aiohttp
import msgspec
import structlog

from cti.asterisk.client import Ari
from cti.asterisk.errors import NOT_DECODED, Gone, Replaced, Unavailable, Unreadable
from cti.asterisk.generated.messages import AnyMessage, ApplicationReplaced, ChannelUserevent, Message
from cti.together import together

PROVED_EVERY_S = 3.0
# Longer than events lag on an overloaded machine, where a new connection would only add to the load.
PROVED_WITHIN_S = 5.0
PROOF = "rexian-hears"
"""The name of our own event."""
FIRST_PAUSE_S = 0.05
LONGEST_PAUSE_S = 1.0
# Between a message and its double lie only those of other channels that came in the same instant.
DOUBLES_WITHIN = 64
LONGEST_KIND = 40
"""Characters of the type of a message that cannot be read: no type of Asterisk's is longer."""
# What nobody here reads: with these a call costs 54 events, without them 5.
DISALLOWED = (
    "ChannelCallerId",
    "ChannelConnectedLine",
    "ChannelCreated",
    "ChannelDialplan",
    "ChannelEnteredBridge",
    "ChannelLeftBridge",
    "ChannelStateChange",
    "ChannelVarset",
    "Dial",
    "EndpointStateChange",
    "PlaybackContinuing",
    "PlaybackStarted",
    "RecordingStarted",
)

log = structlog.get_logger()


class Head(msgspec.Struct, frozen=True):
    """As much of a message as is needed to say what it was."""

    type: str = "without a type"


class EventSocket:
    """The events of one Asterisk node for one application.

    `handle` gets each message, in order; it must not block. `on_connected` is awaited after every (re)connection,
    before the events that follow it; if it raises Unavailable the connection is made anew.
    """

    def __init__(
        self,
        ari: Ari,
        handle: Callable[[Message], None],
        on_connected: Callable[[], Awaitable[None]],
        disallowed: Iterable[str] = DISALLOWED,
    ) -> None:
        self.unreadable: Counter[str] = Counter()
        self.connections = 0
        self.connected = False
        """Events flow at this moment."""
        self._ari = ari
        self._handle = handle
        self._on_connected = on_connected
        self._filter = {"disallowed": [{"type": each} for each in disallowed]}
        self._heard = asyncio.Event()
        self._early: list[Message] = []
        """What came on this connection before its events were handed on."""
        self._recent: deque[str] = deque(maxlen=DOUBLES_WITHIN)
        self._decoder: msgspec.json.Decoder[Message] = msgspec.json.Decoder(AnyMessage)

    async def run(self) -> NoReturn:
        """Read events until cancelled.

        Raises Replaced when another controller took the application name, Refused when user or password are wrong.
        """
        pause = FIRST_PAUSE_S
        while True:
            before = self.connections
            try:
                await self._connection()
            except Unavailable as error:
                log.warning("ari_unavailable", app=self._ari.app, error=str(error))
            pause = FIRST_PAUSE_S if self.connections > before else min(pause * 2, LONGEST_PAUSE_S)
            await asyncio.sleep(pause * random.uniform(0.5, 1.0))

    async def _connection(self) -> None:
        """One connection, from the handshake to its end. Raises Unavailable, Refused, Replaced."""
        socket = await self._ari.http.websocket(self._ari.app)
        self._early = []
        try:
            await together(self._read(socket), self._serve())
        except (Gone, Unreadable) as error:
            raise Unavailable(f"the application {self._ari.app!r} is no longer there: {error}") from error
        finally:
            self.connected = False
            await socket.close()

    async def _read(self, socket: aiohttp.ClientWebSocketResponse) -> NoReturn:
        async for frame in socket:
            if frame.type is not aiohttp.WSMsgType.TEXT:
                self._note_unreadable(f"a frame of {frame.type.name}", "Asterisk sends text only")
                continue
            if frame.data in self._recent:
                continue
            self._recent.append(frame.data)
            match self._decoded(frame.data):
                case ApplicationReplaced(application=self._ari.app):
                    raise Replaced(f"another controller registered the application {self._ari.app!r}: stop one of them")
                case ChannelUserevent(eventname=name) if name == PROOF:
                    self._heard.set()
                case Message() as message if self.connected:
                    self._hand_on(message)
                case Message() as message:
                    self._early.append(message)
        raise Unavailable("Asterisk closed the connection")

    async def _serve(self) -> NoReturn:
        await self._ari.applications.filter(self._ari.app, filter=self._filter)
        await self._prove()
        await self._on_connected()
        self.connections += 1
        self.connected = True
        log.info("ari_connected", app=self._ari.app)
        early, self._early = self._early, []
        for message in early:
            self._hand_on(message)
        while True:
            await asyncio.sleep(PROVED_EVERY_S)
            await self._prove()

    async def _prove(self) -> None:
        """Have Asterisk tell us something. Raises Unavailable when it does not."""
        self._heard.clear()
        await self._ari.events.user_event(PROOF, self._ari.app)
        try:
            async with asyncio.timeout(PROVED_WITHIN_S):
                await self._heard.wait()
        except TimeoutError:
            raise Unavailable("no events come on this connection") from None

    def _hand_on(self, message: Message) -> None:
        try:
            self._handle(message)
        except Exception:  # whatever one event brings about, the other calls must go on hearing theirs
            log.exception("ari_message_failed", kind=type(message).__name__)

    def _decoded(self, text: str) -> Message | None:
        try:
            return self._decoder.decode(text)
        except NOT_DECODED as error:
            self._note_unreadable(_kind(text), str(error))
            return None

    def _note_unreadable(self, kind: str, reason: str) -> None:
        self.unreadable[kind] += 1
        if self.unreadable[kind] == 1:
            log.warning("ari_message_unreadable", kind=kind, error=reason)


def _kind(text: str) -> str:
    try:
        return msgspec.json.decode(text, type=Head).type[:LONGEST_KIND]
    except NOT_DECODED:
        return "not JSON"
