"""No dead air while a business system thinks: from the caller's last key to the answer, a sound at least every two seconds.

The telephone is one that stamps each packet as it comes: a hole on the wire is silence, whatever Asterisk sends or not.
"""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime

import pytest

from bureau.people import DEMO_PIN, demo
from cti.asterisk.caller import PATIENT_S
from tests.asterisk.ears import in_order, said
from tests.asterisk.hotline import Hotline
from tests.asterisk.phones import CITIZEN_HZ
from tests.eventually import eventually
from tests.figures import tell
from tests.telephones.call import Call
from tests.telephones.phone import Telephone
from tests.telephones.voice import Metronome, packets_of

pytestmark = pytest.mark.asterisk

LINE, ACCOUNTS = "12341", "5"
RETIRED = demo(datetime.now(UTC).date())[0]

MOST_S = 2.0
THINKS_S = 0.8 * PATIENT_S
"""Too short to be told of, were it not that the next look-up follows."""

MUSIC_S = 2.0


async def test_a_caller_hears_something_every_two_seconds_while_the_system_thinks(hotline: Hotline) -> None:
    """Each look-up of a service is slow: one that just goes unnoticed, then one that goes on for long, and back again."""
    metronome = Metronome()
    beating = asyncio.create_task(metronome.run())
    try:
        async with Telephone("13800007777", hotline.server, metronome, packets_of(CITIZEN_HZ)) as phone:
            call = await phone.dial(LINE)
            await _hears(call, "menu.main")
            call.press(ACCOUNTS)
            await _hears(call, "id.ask")
            for digit in RETIRED.id_number.replace("X", "*"):
                call.press(digit)
            await _hears(call, "pin.ask")
            async with hotline.bureau_thinks("accounts"):
                async with hotline.bureau_thinks("citizens"):
                    for digit in DEMO_PIN:
                        call.press(digit)
                    await eventually(lambda: not call.voice.keying)
                    keyed = time.monotonic()
                    await eventually(lambda: _has_passed(keyed + THINKS_S))
                await _hears(call, "id.passed", "wait.moment")
                music = time.monotonic()
                await eventually(lambda: _has_passed(music + MUSIC_S))
            await _hears(call, "wait.moment", "insurance.pension")
            answered = time.monotonic()
            await call.hang_up()
    finally:
        beating.cancel()
        await asyncio.gather(beating, return_exceptions=True)
    silent = call.voice.heard.longest_silence((keyed, answered))
    tell("longest silence while a business system thinks", silent, "s")
    assert silent <= MOST_S


async def _hears(call: Call, *pieces: str) -> None:
    await eventually(lambda: _heard(call, pieces))


async def _heard(call: Call, pieces: tuple[str, ...]) -> bool:
    return in_order(pieces, said(call.voice.heard.samples()))


async def _has_passed(instant: float) -> bool:
    return time.monotonic() >= instant
