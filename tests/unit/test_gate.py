"""The gate: shut in a flood, open as soon as there is room, and what it turned back is counted."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TypeVar

import pytest

from calls.clock import Instant, SystemClock
from calls.facts import AlarmCleared, AlarmRaised, AnyFact, CallsTurnedBack
from cti.admission import Admission
from cti.alarms import Alarms
from cti.asterisk.console import console
from cti.asterisk.errors import Unavailable
from cti.asterisk.gate import CALM_S, SHUT_S, Gate
from cti.settings import Settings, Trunk
from cti.store import Journal
from tests.eventually import eventually

TURNED_BACK = "NOTICE: PJSIP: Endpoint 'trunk-city' is in maintenance mode; rejecting new INVITE from 192.0.2.1\n"
FLOOD = 21
"""One more than 10 a second, over two seconds."""


F = TypeVar("F", bound=AnyFact)


class Standing(SystemClock):
    """Stands until it is moved."""

    seconds = 1000.0

    def now(self) -> Instant:
        return Instant(self.seconds)


class World:
    """A gate, its clock, and a socket in Asterisk's place that notes what it is told."""

    def __init__(self, folder: Path, trunk: Trunk) -> None:
        self.settings = Settings(state_dir=folder, trunks=(trunk,), max_calls=1, max_calls_per_s=10)
        self.clock, self.told, self.facts, self.refused = Standing(), list[str](), list[AnyFact](), list[str]()
        self.admission = Admission(1, {}, 10)
        self.journal = Journal(self.settings.journal_path, "node1", self.clock)
        self.gate = Gate(self.settings, self.clock, self, self.journal, self.admission, self._take_refused)
        self.log = self.settings.log_dir / "asterisk.log"
        self.socket = self.settings.run_dir / "asterisk" / "asterisk.ctl"
        for path in (self.log, self.socket):
            path.parent.mkdir(parents=True)
        self.log.write_text(TURNED_BACK)

    def record(self, fact: AnyFact) -> None:
        self.facts.append(fact)

    def _take_refused(self) -> list[str]:
        taken, self.refused = self.refused, []
        return taken

    def of(self, kind: type[F]) -> list[F]:
        return [fact for fact in self.facts if isinstance(fact, kind)]

    def fill(self) -> None:
        assert self.admission.take("city", self.clock.now()) is None

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        told = (await reader.readuntil(b"\0")).decode().removeprefix("cli quit after ").rstrip("\0")
        self.told.append(told.removeprefix("pjsip set maintenance "))
        writer.write(b"node/1/22.10.1\nDone: " + told.encode() + b"\n")
        writer.close()


@pytest.fixture
def trunk() -> Trunk:
    return Trunk("city", match=("192.0.2.1",))


@pytest.fixture
async def world(tmp_path: Path, trunk: Trunk) -> AsyncIterator[World]:
    """One that looks after its trunk."""
    world = World(tmp_path, trunk)
    connected = asyncio.Event()
    connected.set()
    async with await asyncio.start_unix_server(world.answer, world.socket):
        looking = asyncio.create_task(world.gate.run(connected))
        await eventually(lambda: world.told == ["off all"])
        yield world
        looking.cancel()
        await asyncio.gather(looking, return_exceptions=True)
    await world.journal.close()


async def a_look(world: World) -> None:
    """The gate has looked at what was refused."""
    await eventually(lambda: not world.refused)


async def test_a_flood_shuts_the_trunk_and_the_time_opens_it(world: World) -> None:
    world.fill()
    world.refused = ["city"] * FLOOD
    await eventually(lambda: world.told[1:] == ["on trunk-city"])
    with world.log.open("a") as log:
        log.write(TURNED_BACK * 3 + TURNED_BACK.replace("city", "village"))
    world.clock.seconds += SHUT_S
    await eventually(lambda: world.told[2:] == ["off trunk-city"])
    await eventually(lambda: bool(world.of(CallsTurnedBack)))

    assert world.of(CallsTurnedBack) == [CallsTurnedBack(trunk="city", count=3, shut_ms=2000)]


async def test_room_opens_it_at_once(world: World) -> None:
    world.fill()
    world.refused = ["city"] * FLOOD
    await eventually(lambda: world.told[1:] == ["on trunk-city"])
    world.admission.left("city")
    await eventually(lambda: world.told[2:] == ["off trunk-city"])


async def test_a_clump_does_not_shut_it(world: World) -> None:
    world.fill()
    world.refused = ["city"] * (FLOOD - 1)
    await a_look(world)
    world.clock.seconds += SHUT_S + 1
    world.refused = ["city"] * (FLOOD - 1)
    await a_look(world)
    await a_look(world)

    assert world.told == ["off all"]


async def test_while_there_is_room_nothing_is_shut(world: World) -> None:
    world.refused = ["city"] * FLOOD * 2
    await a_look(world)
    world.fill()
    world.refused = ["city"]
    await eventually(lambda: world.told[1:] == ["on trunk-city"])


async def test_a_rotated_log_is_counted_from_its_beginning_and_a_missing_one_not_at_all(world: World) -> None:
    world.fill()
    for text, count in ((TURNED_BACK, 1), (None, None)):
        world.log.write_text("x" * 1000)
        before = len(world.told)
        world.refused = ["city"] * FLOOD
        await eventually(lambda known=before: len(world.told) > known)
        world.log.write_text(text) if text else world.log.unlink()
        facts = len(world.of(CallsTurnedBack))
        world.clock.seconds += SHUT_S
        await eventually(lambda known=facts: len(world.of(CallsTurnedBack)) > known)

        assert world.of(CallsTurnedBack)[-1].count == count


@pytest.mark.parametrize("trunk", [Trunk("city", match=("192.0.2.1",), retry_after=False)])
async def test_a_carrier_that_takes_it_too_literally_is_never_shut_out(world: World) -> None:
    world.fill()
    world.refused = ["city"] * FLOOD * 2
    await a_look(world)
    world.refused = ["city"]
    await a_look(world)

    assert world.told == ["off all"]


async def test_operations_know_while_callers_are_turned_away(world: World) -> None:
    world.refused = ["city"]
    await a_look(world)
    world.clock.seconds += CALM_S
    world.gate.turned_away("city")
    world.clock.seconds += CALM_S
    world.refused = ["city"]
    await a_look(world)
    world.clock.seconds += CALM_S + 1
    await eventually(lambda: bool(world.of(AlarmCleared)))

    assert [(fact.name, fact.subject) for fact in world.of(AlarmRaised)] == [("too_many_calls", "city")]


async def test_an_alarm_that_an_earlier_controller_left_is_cleared(world: World) -> None:
    Alarms(world, world.journal).tell("too_many_calls", "city", "raised long ago")
    world.clock.seconds += CALM_S + 1
    await eventually(lambda: bool(world.of(AlarmCleared)))


async def test_the_console_answers(world: World) -> None:
    assert await console(world.socket, "core show uptime") == "Done: core show uptime"


async def test_no_console_is_unavailable(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="does not answer"):
        await console(tmp_path / "none", "core show uptime")
