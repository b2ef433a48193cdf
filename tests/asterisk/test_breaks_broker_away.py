"""When things break: Mosquitto is stopped, frozen, or has a subscriber that never reads. Calls do not notice; states are
right again after it returns, and the facts go on by number, none missing for a reader that keeps a session.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from statistics import median

import aiomqtt
import msgspec
import pytest
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from calls.facts import QueueEntered, Stamped
from calls.moments import MenuStarted, decode_observation
from cti.bus import SeatNow
from cti.control import follow
from tests.asterisk.hotline import Hotline
from tests.deaf import deaf_subscriber
from tests.eventually import eventually
from tests.faults import frozen, stopped, until_working
from tests.figures import tell
from tests.telephones.crowd import Crowd, on_the_phone

pytestmark = pytest.mark.asterisk

CALLS = 6
"""At once, for one median."""

SESSION_S = 600


class Reader:
    """Another system, which keeps a session with the broker and comes back whenever it may."""

    def __init__(self, hotline: Hotline) -> None:
        self.numbers: list[int] = []
        self.connected = asyncio.Event()
        self._hotline = hotline

    async def run(self) -> None:
        """Listen until cancelled."""
        settings = self._hotline.settings
        session = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]  # paho has no types for it
        session.SessionExpiryInterval = SESSION_S
        client = aiomqtt.Client(
            settings.host,
            settings.mqtt_port,
            username="reader",
            password=self._hotline.secrets.mqtt_reader,
            identifier="keeps-a-session",
            protocol=aiomqtt.ProtocolVersion.V5,
            clean_start=False,
            properties=session,
        )
        while True:
            with suppress(aiomqtt.MqttError):
                async with client:
                    await client.subscribe("rexian/+/facts/+", qos=1)
                    self.connected.set()
                    async for message in client.messages:
                        assert isinstance(message.payload, bytes)
                        self.numbers.append(msgspec.json.decode(message.payload, type=Stamped).seq)
            await asyncio.sleep(0.05)

    async def has_all(self) -> None:
        """Wait until nothing is missing between the first number and what the journal has now."""
        upto = (await self._hotline.status()).facts["recorded"]
        await eventually(lambda: bool(self.numbers) and max(self.numbers) >= upto)
        assert sorted(set(self.numbers)) == list(range(min(self.numbers), max(self.numbers) + 1))


@asynccontextmanager
async def reading(hotline: Hotline) -> AsyncIterator[Reader]:
    reader = Reader(hotline)
    task = asyncio.create_task(reader.run())
    try:
        await reader.connected.wait()
        yield reader
    finally:
        task.cancel()
        await asyncio.wait([task])


async def retained_seat(hotline: Hotline, seat: str) -> SeatNow:
    """What somebody who comes now is told of a seat."""
    settings = hotline.settings
    async with aiomqtt.Client(
        settings.host, settings.mqtt_port, username="reader", password=hotline.secrets.mqtt_reader
    ) as client:
        await client.subscribe(f"rexian/+/seat/{seat}", qos=1)
        async for message in client.messages:
            assert isinstance(message.payload, bytes)
            return msgspec.json.decode(message.payload, type=SeatNow)
    raise AssertionError("the broker went away")


async def pace(crowd: Crowd) -> tuple[float, float]:
    """Medians of some calls at once: INVITE to 200, and a key to the place in the queue, ms."""
    async with asyncio.TaskGroup() as group:
        calls = [group.create_task(one_call(crowd)) for _ in range(CALLS)]
    steps = [call.result() for call in calls]
    return median(answer for answer, _ in steps), median(queue for _, queue in steps)


async def one_call(crowd: Crowd) -> tuple[float, float]:
    began, pressed_ms = time.monotonic(), 0.0
    async with crowd.caller() as call:
        await call.answered.wait()
        assert call.answered_at is not None
        answer_ms = (call.answered_at - began) * 1000
        async with follow(crowd.hotline.settings.control_socket, call.call_id) as lines:
            async for line in lines:
                match decode_observation(line):
                    case MenuStarted():
                        pressed_ms = time.monotonic() * 1000
                        call.press("1")
                    case Stamped(fact=QueueEntered(), mono_ms=entered_ms):
                        return answer_ms, entered_ms - pressed_ms
    raise AssertionError("the controller went away")


def told(how: str, well: tuple[float, float], ill: tuple[float, float]) -> None:
    """Print both paces beside each other."""
    for step, before, after in zip(("INVITE to 200", "key to queue"), well, ill, strict=True):
        tell(f"broker {how}: {step}", f"{after:.1f} ms, with it well {before:.1f} ms, ratio {after / before:.2f}")


async def told_as_unready(hotline: Hotline) -> None:
    """`rexian status` names the broker, and says that calls are answered."""

    async def said() -> bool:
        status = await hotline.status()
        return status.answering and any("MQTT broker" in problem for problem in status.problems)

    await eventually(said)


async def retained_is(hotline: Hotline, seat: str, state: str) -> bool:
    """States are told again as soon as the broker is back, the facts first."""
    return (await retained_seat(hotline, seat)).state == state


async def test_broker_frozen_then_stopped(hotline: Hotline) -> None:
    async with on_the_phone(hotline) as crowd, reading(hotline) as reader:
        well = await pace(crowd)
        async with frozen(hotline, "mosquitto"):
            ill = await pace(crowd)
            async with crowd.adviser("1001", "8001"):
                await told_as_unready(hotline)
            mended = time.monotonic()
        await until_working(hotline)
        tell("broker frozen: working again after", time.monotonic() - mended, "s")
        await eventually(lambda: retained_is(hotline, "1001", "logged_out"))
        await reader.has_all()
        async with crowd.adviser("1001", "8001"):
            async with stopped(hotline, "mosquitto"):
                await told_as_unready(hotline)
                away = await pace(crowd)
                await hotline.not_ready("1001", "lunch")
                mended = time.monotonic()
            await until_working(hotline)
            tell("broker stopped: working again after", time.monotonic() - mended, "s")
            await eventually(lambda: retained_is(hotline, "1001", "not_ready"))
            assert (await hotline.status()).seats["1001"] == "not_ready"
        await reader.has_all()
    told("frozen", well, ill)
    told("stopped", well, away)


async def test_a_subscriber_that_never_reads(hotline: Hotline) -> None:
    settings = hotline.settings
    with deaf_subscriber(settings.host, settings.mqtt_port, "reader", hotline.secrets.mqtt_reader, qos=1):
        async with on_the_phone(hotline) as crowd, reading(hotline) as reader, crowd.adviser("1012", "8012"):
            for _ in range(20):
                await hotline.not_ready("1012")
                await hotline.ready("1012")
            steps = await pace(crowd)
            await reader.has_all()
    tell("broker with a subscriber that never reads: INVITE to 200", steps[0], "ms")
    tell("broker with a subscriber that never reads: key to queue", steps[1], "ms")
    assert (await hotline.status()).ready
