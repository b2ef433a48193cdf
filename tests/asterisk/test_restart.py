"""The controller dies or is stopped: whoever talks goes on talking, whoever waits keeps the place, whoever dials is held."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from calls.errors import NotPossible
from calls.facts import PositionSaid, SeatAnswered
from cti.settings import CHECKOUT
from cti.stack.supervisor import Supervisor
from tests.asterisk.hotline import Caller, Hotline, in_turn
from tests.asterisk.phones import CITIZEN_HZ, SEAT_HZ, hears, listen
from tests.eventually import eventually

pytestmark = pytest.mark.asterisk


def controller_pid(hotline: Hotline) -> int:
    return next(program.pid for program in Supervisor(hotline.settings).programs() if program.name == "controller")


async def supervisorctl(hotline: Hotline, *words: str) -> None:
    """Do it, and wait until it is done."""
    process = await asyncio.create_subprocess_exec(
        str(CHECKOUT / ".venv/bin/supervisorctl"),
        *("-c", str(hotline.settings.etc_dir / "supervisord.conf")),
        *words,
        stdout=asyncio.subprocess.DEVNULL,
    )
    assert await process.wait() == 0


async def is_ready(hotline: Hotline) -> bool:
    """Whether a controller answers, and has taken over."""
    try:
        return (await hotline.status()).ready
    except NotPossible:
        return False


@asynccontextmanager
async def no_controller(hotline: Hotline) -> AsyncIterator[None]:
    """Without a controller inside the block; with a new one after it."""
    await supervisorctl(hotline, "stop", "controller")
    try:
        yield
    finally:
        await supervisorctl(hotline, "start", "controller")
        await eventually(lambda: is_ready(hotline))


async def ends(hotline: Hotline, caller: Caller) -> list[tuple[object, ...]]:
    """The call's terminal facts."""
    return await hotline.sql(
        "SELECT body->>'outcome', body->>'ended_by' FROM facts WHERE kind = 'call_ended' AND call_id = $1",
        caller.call_id,
    )


async def visit(hotline: Hotline, caller: Caller) -> list[tuple[object, ...]]:
    return await hotline.sql(
        "SELECT outcome, entries, answers, leavings FROM queue_visits WHERE call_id = $1", caller.call_id
    )


async def test_a_killed_controller_costs_nobody_anything(hotline: Hotline) -> None:
    async with hotline.adviser("1004", "8004") as seat, hotline.adviser("1006", "8006"):
        await hotline.not_ready("1006")
        async with hotline.caller("2") as talking, hotline.caller("3") as first, hotline.caller("3") as second:
            await talking.saw(SeatAnswered)
            await talking.hears("seat.number.1")
            queue = await in_turn(first, second)
            await asyncio.gather(first.saw(PositionSaid), second.saw(PositionSaid))

            os.kill(controller_pid(hotline), signal.SIGKILL)
            assert hears(await listen(talking.phone, 2), SEAT_HZ)
            assert hears(await listen(seat, 2), CITIZEN_HZ)
            await eventually(lambda: is_ready(hotline))
            await hotline.seat_is("1004", "talking")

            await hotline.ready("1006", "8006")
            await eventually(lambda: hears(queue[0].phone.heard(), SEAT_HZ))
            assert not hears(queue[1].phone.heard(), SEAT_HZ)
            await queue[0].phone.hangup()
            await eventually(lambda: hears(queue[1].phone.heard(), SEAT_HZ))
            await queue[1].phone.hangup()

            assert hears(await listen(talking.phone, 1.5), SEAT_HZ)
            await seat.hangup()
            await talking.hears("rating.ask")
            await talking.phone.hangup()
            await hotline.nothing_left()
    for caller in (talking, first, second):
        assert await visit(hotline, caller) == [("answered", 1, 1, 1)]
        assert await ends(hotline, caller) == [("queued", "caller")]
        [(length_ms, lost)] = await hotline.sql(
            "SELECT length_ms, lost_why FROM recordings WHERE call_id = $1", caller.call_id
        )
        assert (length_ms > 0, lost) == (True, None)


async def test_who_dials_in_the_gap_is_asked_for_patience(hotline: Hotline) -> None:
    async with no_controller(hotline):
        caller_context = hotline.caller("4")
        caller = await caller_context.__aenter__()
        await caller.hears("please_hold")
    try:
        await caller.hears("please_hold", "welcome", "notice", "queue.no_seat")
        assert (await caller.over()).outcome == "queued"
        assert await ends(hotline, caller) == [("queued", "system")]
    finally:
        await caller_context.__aexit__(None, None, None)
