"""Phones against a real exchange: they register, ring, answer, speak, hear, key, and vanish."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from cti.phone.baresip import AnswerAfter, Phone, RejectBusy, RingOn
from cti.phone.events import Closed, Established, Incoming, KeyHeard, PhoneEvent, Ringing
from cti.phone.places import Identity
from cti.phone.sound import tone
from cti.phone.wire import PhoneFailed
from tests.asterisk.exchange import PASSWORD, SEATS, exchange
from tests.asterisk.phones import CITIZEN_HZ, SEAT_HZ, Citizen, Seat, hears, listen
from tests.asterisk_tree import Asterisk

pytestmark = pytest.mark.asyncio(loop_scope="module")
Exchange = tuple[Asterisk, str]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def pbx() -> AsyncIterator[Exchange]:
    async with exchange() as running:
        yield running


def phones_running() -> list[str]:
    """The command lines of the phones that this very process has as children."""
    me = os.getpid()
    children = Path(f"/proc/{me}/task/{me}/children").read_text().split()
    lines = []
    for child in children:
        with contextlib.suppress(OSError):
            lines.append(Path(f"/proc/{child}/cmdline").read_text())
    return [line for line in lines if "baresip" in line]


async def connected(citizen: Citizen, seat: Seat, number: str = "201") -> None:
    await citizen.call(number)
    await citizen.wait_for(Established)
    await seat.wait_for(Established)


async def no_channels(asterisk: Asterisk) -> None:
    async with asyncio.timeout(10):
        while await asterisk.channels():
            pass


async def test_a_seat_and_a_citizen_hear_each_other(pbx: Exchange) -> None:
    asterisk, server = pbx
    async with Seat("201", PASSWORD, server) as seat, Citizen(server) as citizen:
        await connected(citizen, seat)
        assert hears(await listen(citizen), SEAT_HZ)
        assert hears(await listen(seat), CITIZEN_HZ)
        packets = await citizen.packets()
        assert packets.sent > 50
        assert packets.received > 50
        await citizen.hangup()
        assert (await seat.wait_for(Closed)).by_peer
        assert not (await citizen.wait_for(Closed)).by_peer
    await no_channels(asterisk)


async def test_the_seat_sees_the_calling_number_and_both_know_their_call(pbx: Exchange) -> None:
    _, server = pbx
    async with Seat("201", PASSWORD, server) as seat, Citizen(server, "13700002222") as citizen:
        sip_call_id = await citizen.call("201")
        assert "13700002222" in (await seat.wait_for(Incoming)).caller
        assert (await citizen.wait_for(Established)).call_id == sip_call_id == citizen.call_id


async def test_keys_arrive_in_order(pbx: Exchange) -> None:
    _, server = pbx
    async with Seat("201", PASSWORD, server) as seat, Citizen(server) as citizen:
        await connected(citizen, seat)
        await citizen.key("159*0#")
        assert [(await seat.wait_for(KeyHeard)).key for _ in range(6)] == list("159*0#")


async def test_what_is_not_a_key_is_refused(pbx: Exchange) -> None:
    async with Citizen(pbx[1]) as citizen:
        with pytest.raises(ValueError, match="keys 0-9"):
            await citizen.key("1; quit")


async def test_the_second_call_of_a_phone_is_heard_alone(pbx: Exchange) -> None:
    _, server = pbx
    async with Citizen(server) as citizen:
        await citizen.call("100")
        await citizen.wait_for(Established)
        await listen(citizen)
        await citizen.hangup()
        await citizen.wait_for(Closed)
        await citizen.call("104")
        await citizen.wait_for(Ringing)
        assert not len(citizen.heard())


@pytest.mark.parametrize(("answers", "status"), [(RejectBusy(), 486), (None, 404)])
async def test_a_seat_that_is_busy_or_gone(pbx: Exchange, answers: RejectBusy | None, status: int) -> None:
    asterisk, server = pbx
    async with contextlib.AsyncExitStack() as stack:
        if answers:
            await stack.enter_async_context(Seat("202", PASSWORD, server, answers))
        citizen = await stack.enter_async_context(Citizen(server))
        await citizen.call("202")
        assert (await citizen.wait_for(Closed)).status == status
    await no_channels(asterisk)


async def test_a_caller_who_gives_up_while_it_rings(pbx: Exchange) -> None:
    asterisk, server = pbx
    async with Seat("201", PASSWORD, server, RingOn()) as seat, Citizen(server) as citizen:
        await citizen.call("201")
        await seat.wait_for(Incoming)
        await citizen.wait_for(Ringing)
        await citizen.hangup()
        await seat.wait_for(Closed)
        await no_channels(asterisk)


async def test_answering_by_hand_and_after_a_while(pbx: Exchange) -> None:
    _, server = pbx
    async with Citizen(server) as citizen:
        async with Seat("201", PASSWORD, server, RingOn()) as seat:
            await citizen.call("201")
            await seat.wait_for(Incoming)
            await seat.answer()
            await citizen.wait_for(Established)
            await seat.hangup()
            await citizen.wait_for(Closed)
        async with Seat("201", PASSWORD, server, AnswerAfter(0.5)) as seat:
            await citizen.call("201")
            rang = await seat.wait_for(Incoming)
            assert (await seat.wait_for(Established)).at - rang.at >= 0.5


async def test_a_phone_that_vanishes_says_nothing(pbx: Exchange) -> None:
    asterisk, server = pbx
    async with Citizen(server) as citizen:
        async with Seat("201", PASSWORD, server) as seat:
            await connected(citizen, seat)
            await seat.kill()
            with pytest.raises(PhoneFailed, match="ended"):
                await seat.wait_for(Closed)
        assert await asterisk.channels() == 2
        await citizen.hangup()
        await citizen.wait_for(Closed)
    await no_channels(asterisk)


async def test_a_frozen_phone_sends_nothing_and_still_ends(pbx: Exchange) -> None:
    asterisk, server = pbx
    async with Citizen(server) as citizen:
        async with Seat("201", PASSWORD, server) as seat:
            await connected(citizen, seat)
            await listen(citizen)
            seat.freeze()
            with pytest.raises(TimeoutError):
                await listen(citizen, seconds=1, timeout_s=2)
            assert await asterisk.channels() == 2
        assert len(phones_running()) == 1


async def test_many_phones_at_once(pbx: Exchange) -> None:
    asterisk, server = pbx
    async with contextlib.AsyncExitStack() as stack:
        pairs = []
        for place, number in enumerate(SEATS[:4]):
            seat_hz, citizen_hz = 1000 + 100 * place, 400 + 50 * place
            seat = Phone(
                Identity(user=number, password=PASSWORD, server=server),
                answers=AnswerAfter(),
                microphone=tone(seat_hz, 1),
            )
            citizen = Phone(Identity(user=f"1380000{number}0", server=server), microphone=tone(citizen_hz, 1))
            await stack.enter_async_context(seat)
            await stack.enter_async_context(citizen)
            pairs.append((number, seat, citizen, seat_hz, citizen_hz))
        for number, _, citizen, _, _ in pairs:
            await citizen.dial(f"sip:{number}@{server}")
        for _, _, citizen, _, _ in pairs:
            await citizen.wait_for(Established)
        at_seats = await asyncio.gather(*(listen(seat) for _, seat, _, _, _ in pairs))
        at_citizens = await asyncio.gather(*(listen(citizen) for _, _, citizen, _, _ in pairs))
        for (_, _, _, seat_hz, citizen_hz), at_seat, at_citizen in zip(pairs, at_seats, at_citizens, strict=True):
            assert hears(at_seat, citizen_hz)
            assert hears(at_citizen, seat_hz)
    await no_channels(asterisk)


async def test_two_phones_without_a_server() -> None:
    callee = Phone(Identity(user="b", server="127.0.0.1"), answers=AnswerAfter(), microphone=tone(SEAT_HZ, 1))
    async with Citizen("127.0.0.1") as caller, callee:
        await caller.dial(callee.address)
        await caller.wait_for(Established)
        assert hears(await listen(caller), SEAT_HZ)


async def test_the_event_stream_tells_the_whole_story_and_ends(pbx: Exchange) -> None:
    seen: list[type[PhoneEvent]] = []

    async def follow(citizen: Citizen) -> None:
        seen.extend([type(event) async for event in citizen.events()])

    async with asyncio.TaskGroup() as group, Citizen(pbx[1]) as citizen:
        group.create_task(follow(citizen))
        await citizen.call("103")
        await citizen.wait_for(Closed)
    assert seen == [Established, Closed]


async def test_a_cancelled_script_leaves_no_phone_behind(pbx: Exchange) -> None:
    up = asyncio.Event()

    async def script() -> None:
        async with Citizen(pbx[1]) as citizen:
            await citizen.call("100")
            await citizen.wait_for(Established)
            up.set()
            await citizen.wait_for(Closed, timeout_s=60)

    task = asyncio.create_task(script())
    await up.wait()
    assert len(phones_running()) == 1
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert phones_running() == []
    await no_channels(pbx[0])


async def test_a_wrong_password_is_said(pbx: Exchange) -> None:
    with pytest.raises(PhoneFailed, match="did not register 201"):
        async with Seat("201", "wrong", pbx[1]):
            pytest.fail("it registered")
    assert phones_running() == []


async def test_a_port_that_is_taken_is_named() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        with pytest.raises(PhoneFailed, match=str(port)):
            async with Phone(Identity(user="a", server="127.0.0.1"), sip_port=port):
                pytest.fail("two programs on one port")


async def test_a_machine_without_baresip_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(PhoneFailed, match="apt install baresip-core"):
        async with Citizen("127.0.0.1"):
            pytest.fail("there is no such program")
