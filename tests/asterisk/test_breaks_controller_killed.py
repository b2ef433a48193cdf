"""When things break: the controller is killed, stalled or upgraded. Talking calls go on, waiting ones keep their place,
whoever is in a menu begins it again, whoever dials meanwhile is asked for patience and let in.

The long form, with 25 kills, is `python -m tests.soak.kills`.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import AsyncExitStack

import pytest

from tests.asterisk.hotline import Hotline
from tests.eventually import eventually
from tests.faults import kill, stopped, until_working
from tests.figures import tell
from tests.soak.air import DEAD_AIR_S
from tests.soak.kills import (
    KILLED,
    UPGRADED,
    WAITED_FOR,
    WAITERS_KEY,
    broken_again_and_again,
    figures,
    hears,
    stalled,
)
from tests.telephones.call import Call
from tests.telephones.crowd import on_the_phone

pytestmark = pytest.mark.asterisk

SEED = 12333

LABOUR = tuple(zip(map(str, range(1005, 1011)), ("8001", "8008", "8009", "8016", "8017", "8018"), strict=True))
"""Seats, and advisers whom those with `WAITERS_KEY` may have."""

OFFERED = """
SELECT sip_call_id, since_ms FROM facts f JOIN calls USING (call_id) JOIN queue_visits v USING (call_id)
WHERE f.kind = 'seat_offered' AND sip_call_id = ANY($1) ORDER BY f.seq
"""
ANSWERED = """
SELECT sip_call_id FROM queue_visits v JOIN calls USING (call_id) WHERE v.outcome = 'answered' AND sip_call_id = ANY($1)
"""


async def test_controller_killed_stalled_and_upgraded(hotline: Hotline) -> None:
    breaks = (KILLED, KILLED, KILLED, stalled(1), stalled(8), UPGRADED)
    outcome = await broken_again_and_again(hotline, SEED, breaks)
    for name, value, unit in figures(outcome):
        tell(name, value, unit)
    assert outcome.broken == []


async def test_who_is_spoken_to_as_the_controller_is_killed_hears_music(hotline: Hotline) -> None:
    async with on_the_phone(hotline) as crowd, crowd.adviser(*WAITED_FOR) as adviser:
        await hotline.not_ready(adviser.seat)
        async with crowd.caller() as call:
            await hears(call, "menu.main")
            call.press(WAITERS_KEY)
            await hears(call, "queue.enter")
            kill(hotline, "controller")
            began = time.monotonic()
            await until_working(hotline)
            silence = call.voice.heard.longest_silence((began, time.monotonic()))
        await hotline.nothing_left()
    tell("controller killed in mid-sentence: longest silence", silence, "s")
    assert silence < DEAD_AIR_S


async def test_fifty_who_wait_are_served_in_their_order(hotline: Hotline) -> None:
    async with on_the_phone(hotline) as crowd, AsyncExitStack() as stack:
        for seat, number in LABOUR:
            await stack.enter_async_context(crowd.adviser(seat, number))
            await hotline.not_ready(seat)
        calls = [await stack.enter_async_context(crowd.caller()) for _ in range(50)]
        choosing = [asyncio.create_task(_presses_until_it_waits(call)) for call in calls]
        await eventually(lambda: _waiting(hotline, len(calls)))
        for task in choosing:
            task.cancel()
        kill(hotline, "controller")
        await until_working(hotline)
        for seat, number in LABOUR:
            await hotline.ready(seat, number)
        await eventually(lambda: _all_served(hotline, calls))
        offered = await hotline.sql(OFFERED, [call.call_id for call in calls])
    since = [since_ms for _, since_ms in offered]
    assert since == sorted(since)
    assert {sip_call_id for sip_call_id, _ in offered} == {call.call_id for call in calls}


async def _presses_until_it_waits(call: Call) -> None:
    """Keys that come before the menu count for nothing, and those that come after it for nobody."""
    await call.answered.wait()
    while True:
        await asyncio.sleep(1)
        call.press(WAITERS_KEY)


async def _waiting(hotline: Hotline, callers: int) -> bool:
    return (await hotline.status()).calls.get("queue", 0) == callers


async def _all_served(hotline: Hotline, calls: list[Call]) -> bool:
    """Whoever is answered hangs up, for the next to have the seat."""
    answered = {sip_call_id for (sip_call_id,) in await hotline.sql(ANSWERED, [call.call_id for call in calls])}
    await asyncio.gather(*(call.hang_up() for call in calls if call.call_id in answered))
    return len(answered) == len(calls)


async def test_who_dials_in_the_gap_is_asked_for_patience(hotline: Hotline) -> None:
    async with on_the_phone(hotline) as crowd:
        async with stopped(hotline, "controller"), crowd.caller() as gave_up:
            await hears(gave_up, "please_hold")
        async with stopped(hotline, "controller"):
            patient = crowd.caller()
            call = await patient.__aenter__()
            await hears(call, "please_hold")
        try:
            await hears(call, "welcome")
        finally:
            await patient.__aexit__(None, None, None)
        await hotline.nothing_left()
        rows = await hotline.sql(
            "SELECT sip_call_id, outcome, ended_by, endings, calling_number LIKE '+86139%' FROM calls "
            "WHERE sip_call_id = ANY($1)",
            list(crowd.sent),
        )
    assert sorted(rows, key=lambda row: str(row[1])) == [
        (gave_up.call_id, "abandoned_hold", "caller", 1, True),
        (call.call_id, "abandoned_notice", "caller", 1, True),
    ]
