"""When things break: the controller is killed, stalled or upgraded. Talking calls go on, waiting ones keep their place,
whoever is in a menu begins it again, whoever dials meanwhile is asked for patience and let in.

The long form, with 25 kills, is `python -m tests.soak.kills`.
"""

from __future__ import annotations

import time

import pytest

from tests.asterisk.hotline import Hotline
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
from tests.telephones.crowd import on_the_phone

pytestmark = pytest.mark.asterisk

SEED = 12333


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
            "SELECT sip_call_id, outcome, ended_by, endings, calling_number FROM calls WHERE sip_call_id = ANY($1)",
            list(crowd.sent),
        )
    assert sorted(rows, key=lambda row: str(row[1])) == [
        (gave_up.call_id, "abandoned_hold", "caller", 1, "+8613900000001"),
        (call.call_id, "abandoned_notice", "caller", 1, "+8613900000002"),
    ]
