"""A client of Mosquitto that does as little as it can: MQTT 5, QoS 0. What it costs is the broker's, not its own."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import cast

import mqtt5

from cti.settings import Settings

ANSWER_S = 10.0


class Client(asyncio.Protocol):
    """A connection; `connected` makes it. Each message that is published goes to `heard`, its payload alone."""

    _transport: asyncio.Transport

    def __init__(self, heard: Callable[[bytes], None]) -> None:
        self._heard = heard
        self._rest = b""
        self._answers: asyncio.Queue[mqtt5.Packet] = asyncio.Queue()

    def publish(self, topic: str, payload: bytes) -> None:
        """Sent, and not heard of again."""
        self._transport.write(mqtt5.PublishPacket(topic, payload).write())

    async def enter(self, name: str, user: str, password: str, topic: str | None) -> None:
        """Be accepted, and told of what is published there. Raises OSError when the broker does not want it, TimeoutError."""
        self._transport.write(
            mqtt5.ConnectPacket(name, username=user, password=password.encode(), clean_start=True).write()
        )
        await self._answer(mqtt5.ConnAckPacket)
        if topic:
            self._transport.write(mqtt5.SubscribePacket(1, [mqtt5.TopicFilter(topic)]).write())
            await self._answer(mqtt5.SubAckPacket)

    async def _answer(self, kind: type[mqtt5.ConnAckPacket | mqtt5.SubAckPacket]) -> None:
        async with asyncio.timeout(ANSWER_S):
            packet = await self._answers.get()
        if not isinstance(packet, kind):
            raise ConnectionRefusedError(f"Mosquitto answers {packet}")

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        buffer, read = memoryview(self._rest + data), 0
        with contextlib.suppress(IndexError):  # the rest of it will come
            while read < len(buffer):
                packet, length = mqtt5.read(buffer[read:])
                read += length
                if isinstance(packet, mqtt5.PublishPacket):
                    self._heard(packet.payload or b"")
                else:
                    self._answers.put_nowait(packet)
        self._rest = bytes(buffer[read:])

    def close(self) -> None:
        """Leave."""
        self._transport.close()


@contextlib.asynccontextmanager
async def connected(
    settings: Settings, name: str, user: str, password: str, topic: str | None, heard: Callable[[bytes], None]
) -> AsyncIterator[Client]:
    """A client until the end of the block. Raises OSError, TimeoutError."""
    connecting = asyncio.get_running_loop().create_connection(lambda: Client(heard), settings.host, settings.mqtt_port)
    _, client = await connecting
    try:
        await client.enter(name, user, password, topic)
        yield client
    finally:
        client.close()
