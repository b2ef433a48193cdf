"""One connection to the MQTT broker, for publishing: nothing is subscribed, so nothing but answers ever comes back.

async with connected(host, port, hello) as broker:
    await broker.publish([(topic, payload), ...])            # in order; returns when each of them is acknowledged
    await broker.watch()                                     # beside it: raises when the broker is gone, or does not answer

How a packet is written and read is the library's business (mqtt5, decision 0019), when it is sent is ours: as many as the
broker takes at once go by one write, and the next ones when all of those are acknowledged. Nothing is kept for another
connection.
"""

from __future__ import annotations

import asyncio
import enum
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from itertools import cycle
from typing import NoReturn, cast

import mqtt5

Message = tuple[str, bytes]
"""A topic and what is published there."""

AT_ONCE = 20
"""Messages sent and not yet acknowledged: what Mosquitto allows a client, and a burst that the event loop does not feel."""

ANSWER_S = 5.0
"""A broker that takes longer to answer is away."""

TAKEN = (mqtt5.PubAckReasonCode.SUCCESS, mqtt5.PubAckReasonCode.NO_MATCHING_SUBSCRIBERS)

FAREWELL_S = 1.0
"""A connection that is not closed after this long is torn off."""


class BrokerGone(Exception):
    """It cannot be reached, refuses us, or is there no more; says why."""


@asynccontextmanager
async def connected(host: str, port: int, hello: mqtt5.ConnectPacket) -> AsyncIterator[Broker]:
    """A connection that the broker has accepted, closed with the block. Raises BrokerGone, OSError."""
    connecting = asyncio.get_running_loop().create_connection(lambda: Broker(hello.keep_alive), host, port)
    try:
        async with asyncio.timeout(ANSWER_S):
            _, broker = await connecting
    except TimeoutError:
        raise BrokerGone(f"no connection within {ANSWER_S:g} s") from None
    try:
        await broker.enter(hello)
        yield broker
    finally:
        await broker.close()


class Broker(asyncio.Protocol):
    """A connection; `connected` makes it."""

    _transport: asyncio.Transport

    def __init__(self, keep_alive_s: int) -> None:
        self._keep_alive_s = keep_alive_s
        self._trouble: BrokerGone | None = None
        self._heard, self._closed = asyncio.Event(), asyncio.Event()
        self._rest = b""
        """The beginning of a packet whose end has not come yet."""
        self._accepted = False
        self._at_once = AT_ONCE
        self._turn = asyncio.Lock()
        self._ids = cycle(range(1, 65_536))
        self._unanswered: set[int] = set()
        self._pings = 0
        """Not answered yet."""

    async def enter(self, hello: mqtt5.ConnectPacket) -> None:
        """Be accepted. Raises BrokerGone."""
        self._send(hello.write())
        await self._until(lambda: self._accepted)

    async def publish(self, messages: Sequence[Message], *, retain: bool = False) -> None:
        """All of them, in order; returns when each is acknowledged (QoS 1). Raises BrokerGone."""
        async with self._turn:
            for first in range(0, len(messages), self._at_once):
                packets = []
                for topic, payload in messages[first : first + self._at_once]:
                    self._unanswered.add(packet_id := next(self._ids))
                    packet = mqtt5.PublishPacket(
                        topic, payload, qos=mqtt5.QoS.AT_LEAST_ONCE, retain=retain, packet_id=packet_id
                    )
                    packets.append(packet.write())
                self._send(b"".join(packets))
                await self._until(lambda: not self._unanswered)

    async def watch(self) -> NoReturn:
        """Keep the connection alive until it ends. Raises BrokerGone."""
        while True:
            self._pings += 1
            self._send(mqtt5.PingReqPacket().write())
            await self._until(lambda: not self._pings)
            with suppress(TimeoutError):
                async with asyncio.timeout(self._keep_alive_s):
                    await self._closed.wait()

    async def close(self) -> None:
        """Say farewell, unless it is too late, and leave nothing open."""
        if self._trouble is None:
            self._transport.write(mqtt5.DisconnectPacket().write())
            self._transport.close()
            closed = asyncio.create_task(self._closed.wait())  # a time limit of its own fails in a cancelled task
            await asyncio.wait({closed}, timeout=FAREWELL_S)
            closed.cancel()
        self._transport.abort()

    def _send(self, packets: bytes) -> None:
        """Raises BrokerGone when it has gone: a transport of uvloop that is closed takes no more, not even in vain."""
        if self._trouble is not None:
            raise self._trouble
        self._transport.write(packets)

    async def _until(self, done: Callable[[], bool]) -> None:
        """Raises BrokerGone when it has gone, or does not answer; then it is not used any more."""
        try:
            async with asyncio.timeout(ANSWER_S):
                while self._trouble is None and not done():
                    self._heard.clear()
                    await self._heard.wait()
        except TimeoutError:
            self._lose(f"no answer within {ANSWER_S:g} s")
        if self._trouble is not None:
            raise self._trouble

    def _lose(self, why: str) -> None:
        """Only the first reason counts."""
        self._trouble = self._trouble or BrokerGone(why)
        self._closed.set()
        self._heard.set()

    # What the event loop calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # as uvloop's is, without saying so

    def connection_lost(self, error: Exception | None) -> None:
        self._lose(str(error) if error else "it closed the connection")

    def data_received(self, data: bytes) -> None:
        buffer = memoryview(self._rest + data)
        read = 0
        try:
            while read < len(buffer):
                packet, length = mqtt5.read(buffer[read:])
                read += length
                self._take(packet)
        except IndexError:  # the rest of it will come
            pass
        except ValueError as error:
            self._lose(f"it sends what is not MQTT 5: {error}")
        self._rest = bytes(buffer[read:])
        self._heard.set()

    def _take(self, packet: mqtt5.Packet) -> None:
        match packet:
            case mqtt5.PubAckPacket(reason_code=code):
                self._unanswered.discard(packet.packet_id)
                if code not in TAKEN:
                    self._lose(f"it refuses a message: {_words(code)}")
            case mqtt5.PingRespPacket():
                self._pings = 0
            case mqtt5.ConnAckPacket(reason_code=mqtt5.ConnAckReasonCode.SUCCESS):
                self._accepted = True
                # One less than it takes: whoever was cancelled while he published may still have last words.
                self._at_once = max(1, min(AT_ONCE, packet.receive_max) - 1)
            case mqtt5.ConnAckPacket(reason_code=code):
                self._lose(f"it refuses us: {_words(code)}")
            case mqtt5.DisconnectPacket(reason_code=code):
                self._lose(f"it ended the connection: {_words(code)}")


def _words(code: enum.IntEnum) -> str:
    return code.name.lower().replace("_", " ")
