"""The connection to the broker, beside one that does whatever a broker could: what it says, and what is left."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import mqtt5
import pytest
import uvloop

from cti.bus import broker as broker_module
from cti.bus.broker import AT_ONCE, BrokerGone, connected
from tests.eventually import eventually

HELLO = mqtt5.ConnectPacket("rexian-node1", clean_start=True, keep_alive=10)
Answer = Callable[[mqtt5.Packet], bytes]


def obliging(packet: mqtt5.Packet) -> bytes:
    """What a broker answers that takes everything."""
    match packet:
        case mqtt5.ConnectPacket():
            return mqtt5.ConnAckPacket(receive_max=20).write()
        case mqtt5.PublishPacket(packet_id=int(packet_id)):
            return mqtt5.PubAckPacket(packet_id).write()
        case mqtt5.PingReqPacket():
            return mqtt5.PingRespPacket().write()
    return b""


@asynccontextmanager
async def served(answer: Answer, *, piecemeal: bool = False) -> AsyncIterator[tuple[int, list[mqtt5.Packet]]]:
    """A broker that answers so: its port, and the packets that it got. A packet of no answer ends the connection."""
    got: list[mqtt5.Packet] = []
    writers: list[asyncio.StreamWriter] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        rest = b""
        while data := await reader.read(65_536):
            rest += data
            while rest:
                try:
                    packet, length = mqtt5.read(memoryview(rest))
                except IndexError:
                    break
                rest = rest[length:]
                got.append(packet)
                words = answer(packet)
                for part in [words[n : n + 1] for n in range(len(words))] if piecemeal else [words]:
                    writer.write(part)
                    await writer.drain()
                    await asyncio.sleep(0)
                if isinstance(packet, mqtt5.DisconnectPacket):
                    writer.close()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1], got
    finally:
        for writer in writers:
            writer.close()
        server.close()
        await server.wait_closed()


async def use(port: int, work: Callable[[broker_module.Broker], Awaitable[None]]) -> None:
    async with connected("127.0.0.1", port, HELLO) as broker:
        await work(broker)


async def publish_many(broker: broker_module.Broker) -> None:
    await broker.publish([(f"rexian/{n}", str(n).encode()) for n in range(100)])


@pytest.mark.parametrize("piecemeal", [False, True])
async def test_messages_are_published_in_order_and_never_too_many_at_once(piecemeal: bool) -> None:
    unanswered: list[int] = []
    most = 0

    def late(packet: mqtt5.Packet) -> bytes:
        nonlocal most
        match packet:
            case mqtt5.PublishPacket(packet_id=int(packet_id)):
                unanswered.append(packet_id)
                most = max(most, len(unanswered))
                if len(unanswered) < AT_ONCE - 1 and packet.topic != "rexian/99":
                    return b""
                answers = b"".join(mqtt5.PubAckPacket(each).write() for each in reversed(unanswered))
                unanswered.clear()
                return answers
        return obliging(packet)

    async with served(late, piecemeal=piecemeal) as (port, got):
        await use(
            port, lambda broker: broker.publish([(f"rexian/{n}", b"x") for n in range(95)] + [("rexian/99", b"x")])
        )
    topics = [packet.topic for packet in got if isinstance(packet, mqtt5.PublishPacket)]
    assert topics == [f"rexian/{n}" for n in range(95)] + ["rexian/99"]
    assert most == AT_ONCE - 1
    assert isinstance(got[-1], mqtt5.DisconnectPacket)


def test_it_is_the_same_on_the_event_loop_of_the_controller() -> None:
    async def published() -> list[mqtt5.Packet]:
        async with served(obliging) as (port, got):
            await use(port, publish_many)
        return got

    assert len([packet for packet in uvloop.run(published()) if isinstance(packet, mqtt5.PublishPacket)]) == 100


def test_a_broker_that_leaves_while_nothing_is_sent_is_told_by_that_event_loop_too() -> None:
    async def left() -> None:
        leaving = asyncio.Event()

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read(1000)
            writer.write(mqtt5.ConnAckPacket().write())
            await reader.read(1000)
            writer.write(mqtt5.PingRespPacket().write())
            await leaving.wait()
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        async with server, connected("127.0.0.1", server.sockets[0].getsockname()[1], HELLO) as broker:
            watching = asyncio.create_task(broker.watch())
            asyncio.get_running_loop().call_later(0.1, leaving.set)
            with pytest.raises(BrokerGone, match="it closed the connection"):
                await watching
            with pytest.raises(BrokerGone, match="it closed the connection"):
                await broker.publish([("rexian/1", b"x")])

    uvloop.run(left())


REFUSED = mqtt5.ConnAckPacket(reason_code=mqtt5.ConnAckReasonCode.BAD_USER_NAME_OR_PASSWORD).write()
NOT_ALLOWED = mqtt5.PubAckPacket(1, reason_code=mqtt5.PubAckReasonCode.NOT_AUTHORIZED).write()
TAKEN_OVER = mqtt5.DisconnectPacket(reason_code=mqtt5.DisconnectReasonCode.SESSION_TAKEN_OVER).write()


@pytest.mark.parametrize(
    ("kind", "words", "says"),
    [
        (mqtt5.ConnectPacket, REFUSED, "it refuses us: bad user name or password"),
        (mqtt5.ConnectPacket, b"\x00\x00", "it sends what is not MQTT 5: "),
        (mqtt5.ConnectPacket, b"", "no answer within 0.2 s"),
        (mqtt5.PublishPacket, NOT_ALLOWED, "it refuses a message: not authorized"),
        (mqtt5.PublishPacket, TAKEN_OVER, "it ended the connection: session taken over"),
        (mqtt5.PublishPacket, b"", "no answer within 0.2 s"),
    ],
)
async def test_a_broker_that_does_not_oblige_is_told_why(
    kind: type[mqtt5.Packet], words: bytes, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(broker_module, "ANSWER_S", 0.2)
    async with served(lambda packet: words if isinstance(packet, kind) else obliging(packet)) as (port, _):
        with pytest.raises(BrokerGone, match=says):
            await use(port, publish_many)


async def test_a_connection_that_breaks_is_noticed_while_nothing_is_sent() -> None:
    async with served(obliging) as (port, got), connected("127.0.0.1", port, HELLO) as broker:
        watching = asyncio.create_task(broker.watch())
        await broker.publish([("rexian/1", b"x")])
        broker.connection_lost(ConnectionResetError("reset by peer"))
        with pytest.raises(BrokerGone, match="reset by peer"):
            await watching
        with pytest.raises(BrokerGone, match="reset by peer"):
            await broker.publish([("rexian/2", b"x")])
    assert any(isinstance(packet, mqtt5.PingReqPacket) for packet in got)


async def test_last_words_go_out_behind_what_was_cut_short() -> None:
    """Who is cancelled while he publishes leaves packets on the way; the next take neither their numbers nor their turn."""
    held: list[bytes] = []

    def slow(packet: mqtt5.Packet) -> bytes:
        if isinstance(packet, mqtt5.PublishPacket):
            held.append(obliging(packet))
            if packet.topic != "rexian/last":
                return b""
            return b"".join(held)
        return obliging(packet)

    async with served(slow) as (port, got), connected("127.0.0.1", port, HELLO) as broker:
        cut = asyncio.create_task(publish_many(broker))
        await eventually(lambda: len(held) == AT_ONCE - 1)
        cut.cancel()
        await asyncio.gather(cut, return_exceptions=True)
        await broker.publish([("rexian/last", b"x")])
    packets = [packet for packet in got if isinstance(packet, mqtt5.PublishPacket)]
    assert packets[-1].topic == "rexian/last"
    assert len(packets) == AT_ONCE == len({packet.packet_id for packet in packets})
