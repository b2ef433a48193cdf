"""What is keyed to show who calls: no recording has it, and whoever guesses is shut out without being told of it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from pathlib import Path

import pytest

from recordings.listen import channels
from tests.asterisk.hotline import SHIPPED, Hotline
from tests.asterisk.phones import SEAT_HZ
from tests.asterisk.phones import hears as tone_is_heard
from tests.dtmf import decode
from tests.eventually import eventually
from tests.soak.guesses import accounts, guess, same_words, shut
from tests.soak.kills import LATELY, hears
from tests.telephones.call import Call
from tests.telephones.crowd import Crowd, Manners, on_the_phone

pytestmark = pytest.mark.asterisk

BESIEGED, *OTHERS = accounts()
CALLING = next(one for one in OTHERS if one.pension_fen)
PENSION, MESSAGE, PERSON, AFTERWARDS = "64", "54", "0", "7"
"""Keys of the shipped line's menus; the last one is pressed while talking."""

SPEAKS_S, TALKS_S = 1.5, 5.0


async def test_what_is_keyed_is_in_no_recording_and_guesses_lead_nowhere(hotline: Hotline) -> None:
    """Both at once, since each of them waits most of the time."""
    async with on_the_phone(hotline) as crowd, asyncio.TaskGroup() as group:
        group.create_task(_after_five_wrong_guesses_the_right_pin_sounds_as_wrong_as_any(crowd))
        group.create_task(_no_recording_of_a_call_has_the_keys_of_its_identification(crowd))


async def _after_five_wrong_guesses_the_right_pin_sounds_as_wrong_as_any(crowd: Crowd) -> None:
    """Each guess from another telephone number: the account itself is shut, and nothing tells the guesser."""
    guesses = await shut(crowd, BESIEGED)
    right = await guess(crowd, BESIEGED.id_number, BESIEGED.pin)
    assert right.heard == ("id.failed", "id.ask")
    assert not same_words([*guesses, right]).broken


async def _no_recording_of_a_call_has_the_keys_of_its_identification(crowd: Crowd) -> None:
    """The telephone lets the sound of each key through, as many gateways do; the decoder finds the one that was pressed
    while talking, so it would find the others.

    It was seen to fail. Record from the beginning, in `Session._from_the_start` before `self._lead`:
        await self.through_dialplan("start-recording", f"{self.call_id}.m0")
    and number and PIN are found in the track of that name, which is still there when the call is over.
    """
    hotline = crowd.hotline
    async with crowd.adviser("1001", "8001", Manners(talk_s=TALKS_S)), crowd.caller(SHIPPED) as call:
        call.voice.loud_keys = True
        await _answers(call, "menu.main", PENSION[0])
        await _answers(call, "menu.self", PENSION[1])
        await _answers(call, "id.ask", CALLING.id_number.replace("X", "*"))
        await _answers(call, "pin.ask", CALLING.pin)
        await _answers(call, "pension.paid.1", "#")
        await _answers(call, "menu.self", "#")
        await _answers(call, "menu.main", MESSAGE[0])
        await _answers(call, "menu.other", MESSAGE[1])
        await hears(call, "message.tone")
        await asyncio.sleep(SPEAKS_S)  # the citizen speaks
        call.press("#")
        await _answers(call, "message.check", "1")
        await _answers(call, "menu.other", PERSON)
        await eventually(lambda: tone_is_heard(call.voice.heard.samples(-LATELY), SEAT_HZ))
        call.press(AFTERWARDS)
        await hears(call, "rating.ask")
    sealed = await _recorded(hotline, call.call_id)
    assert sealed in (["", AFTERWARDS], ["#", AFTERWARDS]), "a # ends the message, and its sound may be in it"
    await eventually(lambda: not hotline.kept("recording/"))
    assert await _keys_in(hotline.settings.raw_dir.iterdir()) == [], "a track that nobody asked for"


async def test_numbers_that_are_keyed_faster_than_asterisk_takes_keys_are_understood(hotline: Hotline) -> None:
    """Asterisk tells of most of these keys twice."""
    async with on_the_phone(hotline) as crowd, crowd.caller(SHIPPED) as call:
        call.voice.hasty = True
        await _answers(call, "menu.main", PENSION[0])
        await _answers(call, "menu.self", PENSION[1])
        await _answers(call, "id.ask", CALLING.id_number.replace("X", "*"))
        await _answers(call, "pin.ask", CALLING.pin)
        await hears(call, "pension.paid.1")


async def _answers(call: Call, question: str, keys: str) -> None:
    """Key this as soon as it is asked for, and wait until all of it is sent."""
    await hears(call, question)
    for key in keys:
        call.press(key)
    await eventually(lambda: not call.voice.keying)


async def _recorded(hotline: Hotline, sip_call_id: str) -> list[str]:
    """The keys that are heard in the caller's channel of the voice message and of the conversation."""
    query = "SELECT path FROM recordings JOIN calls USING (call_id) WHERE sip_call_id = $1 ORDER BY visit DESC"

    async def both() -> bool:
        return len(await hotline.sql(query, sip_call_id)) == 2

    await eventually(both)
    return await _keys_in(hotline.recording(path) for (path,) in await hotline.sql(query, sip_call_id))


async def _keys_in(files: Iterable[Path]) -> list[str]:
    """Of each file, its first channel; off the event loop, since telephones talk there."""

    def decoded() -> list[str]:
        return [decode(sides[0], rate) for sides, rate in map(channels, files)]

    return await asyncio.to_thread(decoded)
