"""Callers whose telephone dies: no BYE comes, so the silence of their RTP ends the call."""

from __future__ import annotations

import asyncio

import pytest

from calls.facts import CallEnded, PositionSaid
from cti.phone.events import Closed
from tests.asterisk.hotline import Caller, Hotline
from tests.asterisk.phones import CITIZEN_HZ, hears, listen

pytestmark = pytest.mark.asterisk


async def test_in_a_conversation_and_in_the_queue(hotline: Hotline) -> None:
    async with hotline.adviser("1004", "8004") as seat, hotline.adviser("1006", "8006"):
        await hotline.not_ready("1006")
        async with hotline.caller("2") as talking, hotline.caller("3") as waiting:
            await talking.connected()
            assert hears(await listen(seat, 2), CITIZEN_HZ)
            await waiting.saw(PositionSaid)
            await asyncio.gather(talking.phone.kill(), waiting.phone.kill())

            ends = await asyncio.gather(talking.saw(CallEnded), waiting.saw(CallEnded))
            await seat.wait_for(Closed)
    assert [(end.outcome, end.ended_by) for end in ends] == [("queued", "caller"), ("queued", "caller")]
    assert await visit(hotline, talking) == ("answered", "caller")
    assert await visit(hotline, waiting) == ("abandoned_waiting", None)
    await hotline.nothing_left()
    assert await hotline.sql("SELECT lost_why FROM recordings WHERE call_id = $1", talking.call_id) == [(None,)]


async def visit(hotline: Hotline, caller: Caller) -> tuple[object, ...]:
    [row] = await hotline.sql("SELECT outcome, talk_ended_by FROM queue_visits WHERE call_id = $1", caller.call_id)
    return row
