"""The bus on a real broker: nothing is missed, states come right again, and the broker costs nobody anything."""

from __future__ import annotations

import asyncio
import gc
import json
import random
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest
from aiomqtt import Client, MqttError, ProtocolVersion
from ruamel.yaml import YAML

from calls.clock import SystemClock
from calls.facts import Stamped
from cti.bus import Bus, QueueNow, SeatNow
from cti.bus import broker as broker_module
from cti.bus import bus as bus_module
from cti.bus.messages import NodeNow, public
from cti.store import Journal
from tests.deaf import deaf_subscriber
from tests.eventually import PATIENCE_S, ended, eventually
from tests.histories import answered_call, arrived, refused
from tests.mosquitto import PASSWORD, READER, WRITER, TestBroker
from tests.processes import held
from tests.proxy import Proxy

CONTRACT = YAML(typ="safe").load(Path(__file__).parents[2] / "docs" / "asyncapi.yaml")
NOW = datetime(2026, 1, 5, 1, 30, tzinfo=UTC)
READY = SeatNow(state="ready", adviser="8001", since=NOW)
TALKING = SeatNow(state="talking", adviser="8001", since=NOW)


class Ear:
    """Another system that listens to the whole bus and keeps what it heard."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, bytes, bool]] = []

    def facts(self) -> list[Stamped]:
        return [msgspec.json.decode(payload, type=Stamped) for topic, payload, _ in self.heard if "/facts/" in topic]

    def seqs(self) -> list[int]:
        return [fact.seq for fact in self.facts()]

    def last(self, topic: str) -> bytes | None:
        return next((payload for heard, payload, _ in reversed(self.heard) if heard == topic), None)


def client(broker: TestBroker, name: str = READER) -> Client:
    return Client(
        broker.host, broker.port, username=name, password=PASSWORD, protocol=ProtocolVersion.V5, timeout=PATIENCE_S
    )


@asynccontextmanager
async def listening(broker: TestBroker) -> AsyncIterator[Ear]:
    ear = Ear()

    async def listen(connected: Client) -> None:
        async for message in connected.messages:
            assert isinstance(message.payload, bytes)
            ear.heard.append((str(message.topic), message.payload, message.retain))

    async with client(broker) as connected:
        await connected.subscribe("rexian/#", qos=1)
        task = asyncio.create_task(listen(connected))
        try:
            yield ear
        finally:
            task.cancel()
            await asyncio.wait([task])


@asynccontextmanager
async def publishing(bus: Bus) -> AsyncIterator[None]:
    task = asyncio.create_task(bus.run())
    try:
        yield
    finally:
        await ended([task])


@pytest.fixture
async def journal(tmp_path: Path) -> AsyncIterator[Journal]:
    opened = Journal(tmp_path / "journal.sqlite", "node1", SystemClock())
    yield opened
    await opened.close()


def make_bus(journal: Journal, broker: TestBroker, password: str = PASSWORD) -> Bus:
    return Bus(journal, SystemClock(), host=broker.host, port=broker.port, username=WRITER, password=password)


async def published(bus: Bus, journal: Journal) -> None:
    await journal.flush()
    await eventually(lambda: bus.problem is None and bus.behind == 0)


def schema_of(name: str) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{name}", "components": CONTRACT["components"]}


async def test_facts_and_states_are_heard_as_the_contract_says(journal: Journal, broker: TestBroker) -> None:
    bus = make_bus(journal, broker)
    async with listening(broker) as ear, publishing(bus):
        bus.state("queue/cards", QueueNow(waiting=2, longest_wait_ms=31_000, updated_at=NOW))
        bus.state("seat/1001", READY)
        for fact in [*answered_call("call1"), refused("call2"), arrived("call3", None)]:
            journal.record(fact)
        await published(bus, journal)
        await eventually(lambda: len(ear.seqs()) == journal.committed)
        await eventually(lambda: ear.last("rexian/node1/queue/cards") is not None)
        await eventually(lambda: ear.last("rexian/node1/seat/1001") is not None)
    assert ear.facts() == [public(fact) for fact in await journal.read_after(0, 1000)]
    assert b"138****1111" in b"".join(payload for _, payload, _ in ear.heard)
    assert b"13800001111" not in b"".join(payload for _, payload, _ in ear.heard)
    names = {"facts": "Stamped", "queue": "QueueNow", "seat": "SeatNow", "status": "NodeNow"}
    for topic, payload, _ in ear.heard:
        jsonschema.validate(json.loads(payload), schema_of(names[topic.split("/")[2]]))
    assert msgspec.json.decode(ear.last("rexian/node1/seat/1001") or b"", type=SeatNow) == READY


async def test_states_are_retained_latest_wins_and_none_takes_away(journal: Journal, broker: TestBroker) -> None:
    bus = make_bus(journal, broker)
    async with publishing(bus), listening(broker) as early:
        bus.state("seat/1002", READY)
        for waiting in range(1000):
            bus.state("queue/cards", QueueNow(waiting=waiting, longest_wait_ms=0, updated_at=NOW))
        bus.state("seat/1001", READY)
        bus.state("seat/1001", TALKING)
        await eventually(lambda: early.last("rexian/node1/seat/1002") is not None)
        bus.state("seat/1002", None)
        await eventually(lambda: early.last("rexian/node1/seat/1002") == b"")
        assert len([topic for topic, _, _ in early.heard if topic == "rexian/node1/queue/cards"]) < 10
        async with listening(broker) as late:
            await eventually(lambda: len(late.heard) == 3)
    assert {topic: retained for topic, _, retained in late.heard} == {
        "rexian/node1/queue/cards": True,
        "rexian/node1/seat/1001": True,
        "rexian/node1/status": True,
    }
    assert msgspec.json.decode(late.last("rexian/node1/queue/cards") or b"", type=QueueNow).waiting == 999
    assert msgspec.json.decode(late.last("rexian/node1/seat/1001") or b"", type=SeatNow) == TALKING


def test_a_state_of_the_wrong_shape_is_a_mistake_at_once(tmp_path: Path, broker: TestBroker) -> None:
    journal = Journal(tmp_path / "journal.sqlite", "node1", SystemClock())
    with pytest.raises(TypeError, match="queue/cards takes a QueueNow, not a SeatNow"):
        make_bus(journal, broker).state("queue/cards", READY)
    asyncio.run(journal.close())


async def test_a_broker_that_comes_back_hears_what_it_missed(journal: Journal, broker: TestBroker) -> None:
    bus = make_bus(journal, broker)
    async with publishing(bus):
        bus.state("seat/1001", READY)
        bus.state("seat/1002", READY)
        for n in range(50):
            journal.record(arrived(f"before{n}"))
        await published(bus, journal)
        broker.stop()
        await eventually(lambda: "takes nothing" in str(bus.problem))
        bus.state("seat/1001", TALKING)
        for n in range(500):
            journal.record(arrived(f"meanwhile{n}"))
        await journal.flush()
        assert bus.behind == 500
        broker.start()
        async with listening(broker) as ear:
            await published(bus, journal)
            await eventually(lambda: ear.last("rexian/node1/seat/1002") is not None)
            late = [seq for seq in ear.seqs() if seq > 50]
        assert late == sorted(late)
        assert msgspec.json.decode(ear.last("rexian/node1/seat/1001") or b"", type=SeatNow) == TALKING
        assert msgspec.json.decode(ear.last("rexian/node1/seat/1002") or b"", type=SeatNow) == READY


async def test_nothing_is_missed_by_a_listener_over_many_cuts(journal: Journal, broker: TestBroker) -> None:
    bus = make_bus(journal, broker)
    async with listening(broker) as ear:
        for run in range(10):
            async with publishing(bus):
                for n in range(100):
                    journal.record(arrived(f"run{run}-{n}"))
                await journal.flush()
                await eventually(lambda run=run: len(set(ear.seqs())) > run * 100 + 30)
        async with publishing(bus):
            await published(bus, journal)
            await eventually(lambda: len(set(ear.seqs())) == 1000)
    assert set(ear.seqs()) == set(range(1, 1001))


async def test_the_next_controller_goes_on_where_the_last_one_stopped(tmp_path: Path, broker: TestBroker) -> None:
    async with listening(broker) as ear:
        for run in range(3):
            journal = Journal(tmp_path / "journal.sqlite", "node1", SystemClock())
            bus = make_bus(journal, broker)
            async with publishing(bus):
                for n in range(10):
                    journal.record(arrived(f"run{run}-{n}"))
                await published(bus, journal)
            await journal.close()
        await eventually(lambda: len(ear.seqs()) >= 30)
    assert ear.seqs() == list(range(1, 31))  # a clean stop repeats nothing


async def test_status_tells_online_offline_and_a_death(tmp_path: Path, journal: Journal, broker: TestBroker) -> None:
    def status() -> NodeNow | None:
        heard = ear.last("rexian/node1/status")
        return msgspec.json.decode(heard, type=NodeNow) if heard else None

    async with listening(broker) as ear:
        async with publishing(make_bus(journal, broker)):
            await eventually(lambda: (now := status()) is not None and now.state == "online")
        await eventually(lambda: (now := status()) is not None and now.state == "offline" and now.at is not None)
        await journal.close()
        arguments = (tmp_path / "journal.sqlite", str(broker.port), WRITER, PASSWORD)
        controller = await asyncio.create_subprocess_exec(sys.executable, "-c", CONTROLLER, *arguments)
        await eventually(lambda: (now := status()) is not None and now.state == "online")
        controller.kill()
        await controller.wait()
        await eventually(lambda: status() == NodeNow(state="offline", at=None))


CONTROLLER = """
import asyncio, sys
from pathlib import Path
from calls.clock import SystemClock
from cti.bus import Bus
from cti.store import Journal

async def main():
    path, port, username, password = sys.argv[1:]
    journal = Journal(Path(path), "node1", SystemClock())
    await Bus(journal, SystemClock(), host="127.0.0.1", port=int(port), username=username, password=password).run()

asyncio.run(main())
"""


async def test_a_frozen_broker_costs_nobody_anything(
    journal: Journal, broker: TestBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(broker_module, "ANSWER_S", broker_module.ANSWER_S / 10)
    bus = make_bus(journal, broker)
    async with publishing(bus):
        await published(bus, journal)
        broker.freeze()
        for n in range(3000):
            journal.record(arrived(f"call{n}"))
            bus.state("queue/cards", QueueNow(waiting=n, longest_wait_ms=0, updated_at=NOW))
        await journal.flush()
        assert journal.committed == 3000
        assert bus.behind > 0
        await eventually(lambda: "takes nothing" in str(bus.problem))
        broker.thaw()
        await published(bus, journal)
        async with listening(broker) as ear:
            await eventually(lambda: ear.last("rexian/node1/queue/cards") is not None)
        assert msgspec.json.decode(ear.last("rexian/node1/queue/cards") or b"", type=QueueNow).waiting == 2999


async def test_attempts_at_a_frozen_broker_leave_nothing_behind(
    journal: Journal, broker: TestBroker, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A connection that was taken and never answered, left open, would end its successor as the broker wakes up."""
    monkeypatch.setattr(broker_module, "ANSWER_S", 0.1)
    monkeypatch.setattr(bus_module, "LAST_RETRY", timedelta(milliseconds=10))
    tried = 0

    def failed(self: Bus, error: BaseException) -> None:
        nonlocal tried
        tried += 1

    monkeypatch.setattr(Bus, "_failed", failed)
    bus = make_bus(journal, broker)
    async with publishing(bus):
        await published(bus, journal)
        broker.freeze()
        for n in range(100):
            journal.record(arrived(f"call{n}"))
        await eventually(lambda: tried > 3)
        before = held()
        await eventually(lambda: tried > 13)
        after = held()
        broker.thaw()
        await published(bus, journal)
    assert all(late - early < 5 for early, late in zip(before, after, strict=True)), (before, after)
    gc.collect()
    assert caplog.messages == []  # a future nobody asked is told to the log


@pytest.mark.parametrize("seed", range(3))
async def test_a_connection_that_is_swallowed_at_any_byte_is_given_up(
    journal: Journal, broker: TestBroker, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    monkeypatch.setattr(broker_module, "ANSWER_S", 0.5)
    async with Proxy(0, broker.port) as proxy, listening(broker) as ear:
        bus = Bus(journal, SystemClock(), host=broker.host, port=proxy.port, username=WRITER, password=PASSWORD)
        await proxy.swallow(after=random.Random(seed).randrange(1, 60_000))
        async with publishing(bus):
            for n in range(200):
                journal.record(arrived(f"call{n}"))
            await eventually(lambda: "takes nothing" in str(bus.problem))
            await proxy.pass_on()
            bus.state("seat/1001", TALKING)
            await published(bus, journal)
            await eventually(lambda: set(ear.seqs()) == set(range(1, 201)))
            await eventually(lambda: ear.last("rexian/node1/seat/1001") is not None)


@pytest.mark.parametrize("qos", [0, 1])
async def test_a_subscriber_that_never_reads_holds_up_nobody(journal: Journal, broker: TestBroker, qos: int) -> None:
    bus = make_bus(journal, broker)
    with deaf_subscriber(broker.host, broker.port, READER, PASSWORD, qos):
        async with listening(broker) as ear, publishing(bus):
            for n in range(5000):
                journal.record(arrived(f"call{n}"))
            await published(bus, journal)
            await eventually(lambda: len(ear.seqs()) == 5000)
    assert ear.seqs() == list(range(1, 5001))


async def test_a_wrong_password_is_a_problem_that_names_the_broker(journal: Journal, broker: TestBroker) -> None:
    bus = make_bus(journal, broker, password="guessed")
    async with publishing(bus):
        await eventually(lambda: f"{broker.host}:{broker.port} takes nothing: " in str(bus.problem))
        assert "guessed" not in str(bus.problem)


async def test_readers_may_only_read(broker: TestBroker) -> None:
    async with listening(broker) as ear, client(broker) as reader, client(broker, WRITER) as writer:
        await reader.publish("rexian/node1/seat/1001", b"forged", qos=1)
        await writer.publish("rexian/node1/seat/1001", b"true", qos=1)
        await eventually(lambda: ear.heard != [])
        assert [payload for _, payload, _ in ear.heard] == [b"true"]
    with pytest.raises(MqttError):
        async with Client(broker.host, broker.port, protocol=ProtocolVersion.V5):
            pytest.fail("nobody gets in without a name")
