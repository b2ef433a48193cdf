"""What is no proper call must harm nobody: broken SIP on the wire while a citizen talks with an adviser."""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest

from calls.facts import QueueEntered
from cti.stack.supervisor import Supervisor
from tests.asterisk.hotline import Hotline
from tests.asterisk.malformed import Peer, call_id, malformed, peer, strange_numbers, tolerated
from tests.asterisk.phones import CITIZEN_HZ, SEAT_HZ, hears, listen
from tests.asterisk.rfc4475 import Torture, tortures
from tests.asterisk.sipfuzz import mutations
from tests.eventually import eventually
from tests.figures import tell

pytestmark = pytest.mark.asterisk

SEED = int(os.environ.get("SIP_FUZZ_SEED", "4475"))
FUZZED = 400

CALLS_BY_RIGHT = {"wsinv", "esc01", "longreq", "sdp01"}
"""Those of RFC 4475 that are calls to our line, however they look."""
READ_LENIENTLY = {"clerr", "lwsstart", "trws", "escruri", "baddate", "badaspec", "baddn"}
"""Wrong, but Asterisk sees what is meant, as the RFC allows who is generous."""


@asynccontextmanager
async def while_they_talk(hotline: Hotline) -> AsyncIterator[Peer]:
    """A wire to Asterisk; before the block and after it a citizen and an adviser hear each other, in one and the same call."""
    asterisk = asterisk_pid(hotline)
    async with hotline.adviser("1004", "8004") as seat, hotline.caller("2") as caller, peer(hotline.server) as wire:
        await caller.connected()
        assert hears(await listen(caller.phone, 2), SEAT_HZ)
        yield wire
        assert hears(await listen(caller.phone, 2), SEAT_HZ)
        assert hears(await listen(seat, 2), CITIZEN_HZ)
        async with hotline.caller("4") as another:
            await another.saw(QueueEntered)
            await another.leave()
        await caller.leave()
        await eventually(lambda: over(hotline))
    assert asterisk_pid(hotline) == asterisk


async def over(hotline: Hotline) -> bool:
    return (await hotline.status()).calls["up"] == 0


def asterisk_pid(hotline: Hotline) -> int:
    return next(program.pid for program in Supervisor(hotline.settings).programs() if program.name == "asterisk")


async def sip_calls(hotline: Hotline) -> set[str]:
    """The SIP Call-IDs of all calls in the books."""
    return {
        str(found)
        for (found,) in await hotline.sql("SELECT body->>'sip_call_id' FROM facts WHERE kind = 'call_arrived'")
    }


async def test_broken_sip_harms_nobody(hotline: Hotline) -> None:
    async with while_they_talk(hotline) as wire:
        await broken_invites(wire, hotline.server)
        tortured = await the_torture_messages(wire, hotline.server)
        before = len(wire.answers)
        for message in mutations(hotline.server, random.Random(SEED), FUZZED):
            await wire.say(message)
        tell(f"SIP fuzzer, seed {SEED}: messages sent", FUZZED)
        tell("SIP fuzzer: messages answered", len(wire.answers) - before - FUZZED)
    calls = await sip_calls(hotline)
    became = {name for name, sip_call_id in tortured.items() if any(each.startswith(sip_call_id) for each in calls)}
    assert became >= CALLS_BY_RIGHT
    tell("RFC 4475: messages that became calls, each a row", len(became))


async def broken_invites(wire: Peer, server: str) -> None:
    broken, strange = malformed(server), strange_numbers(server)
    for message in [*broken.values(), *tolerated(server).values(), *strange.values()]:
        await wire.say(message)
    for name, message in strange.items():
        assert await wire.final(call_id(message)) in {400, 404, 414, 416, 484}, name
    for name, message in broken.items():
        answers = wire.answers.get(call_id(message), []) if call_id(message) else []
        assert all(status == 100 or status >= 400 for status in answers), (name, answers)


async def called(wire: Peer, torture: Torture) -> None:
    """Until it has its final answer; said again meanwhile, as everything is that SIP sends by UDP."""
    while True:
        with suppress(TimeoutError):
            async with asyncio.timeout(5):
                await wire.final(whole_call_id(wire, torture.call_id))
                return
        await wire.say(torture.raw)


async def the_torture_messages(wire: Peer, server: str) -> dict[str, str]:
    """The Call-ID of each, by its name; every one is answered as it deserves, or not at all."""
    messages = tortures(server)
    for torture in messages:
        await wire.say(torture.raw)
        if torture.name in CALLS_BY_RIGHT:
            await called(wire, torture)
    accepted = {torture.name for torture in messages if statuses(wire, torture.call_id)[-1:] == [200]}
    assert accepted >= CALLS_BY_RIGHT
    assert not accepted & {torture.name for torture in messages if not torture.valid} - READ_LENIENTLY
    tell("RFC 4475: messages sent", len(messages))
    return {torture.name: torture.call_id for torture in messages}


def whole_call_id(wire: Peer, begins: str) -> str:
    """One of the messages makes its Call-ID longer."""
    return next((name for name in wire.answers if name.startswith(begins)), begins)


def statuses(wire: Peer, begins: str) -> list[int]:
    return wire.answers.get(whole_call_id(wire, begins), [])
