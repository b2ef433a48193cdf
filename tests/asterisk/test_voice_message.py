"""留言 Voice messages on real calls: what was said is recorded, and what was promised is kept, whatever breaks."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile  # type: ignore[import-untyped]  # it ships no types

from calls.facts import NoticeHeard, QueueLeft, ServiceUsed, VoiceMessageLeft
from cti.phone.places import RATE_HZ
from cti.phone.sound import tone
from tests.asterisk.ears import tone_dbfs
from tests.asterisk.hotline import Caller, Hotline
from tests.asterisk.phones import CITIZEN_HZ
from tests.eventually import eventually
from tests.faults import kill, until_working

pytestmark = pytest.mark.asterisk

LINE, NIGHT_LINE = "12339", "12340"
SPEAK, CHECK = ("message.ask", "message.tone"), ("message.check",)
KEPT = ("message.kept.1", "number.pair", "message.kept.2")
SPOKEN_S = 3.0
LOUD_DBFS = -30.0
HOLE = 4
"""Tenths of a second in a row without the tone: fewer are the phone's own lateness."""


async def message(hotline: Hotline, caller: Caller) -> tuple[Any, ...]:
    """Its row, and that of its recording, once that is sealed."""
    query = """
        SELECT m.message, about, calling_number, m.length_ms, spoken_ms, due_at, path, r.length_ms, alarms
        FROM voice_messages m JOIN recordings r ON r.visit = m.message WHERE m.call_id = $1"""
    await eventually(lambda: _sealed(hotline, query, caller))
    [row] = await hotline.sql(query, caller.call_id)
    return row


async def _sealed(hotline: Hotline, query: str, caller: Caller) -> bool:
    return len(await hotline.sql(query, caller.call_id)) > 0


def sound(path: Path) -> np.ndarray[Any, np.dtype[np.float64]]:
    samples, rate = soundfile.read(path, always_2d=True)
    assert (rate, samples.shape[1]) == (RATE_HZ, 1), "a message has one party"
    return samples[:, 0]  # type: ignore[no-any-return]


def speaks_throughout(path: Path) -> bool:
    """The caller's tone is there from the first to the last moment, but for holes as a telephone on a busy machine makes."""
    heard, window = sound(path), RATE_HZ // 10
    silent = [
        tone_dbfs(heard[start : start + window], CITIZEN_HZ) < LOUD_DBFS
        for start in range(window, len(heard) - 2 * window, window)
    ]
    return not any(all(silent[at : at + HOLE]) for at in range(max(1, len(silent) - HOLE)))


async def test_a_message_is_recorded_listed_and_answered(hotline: Hotline) -> None:
    async with hotline.caller("1", line=LINE) as caller:
        await caller.hears(*SPEAK)
        began = datetime.now(UTC)
        await asyncio.sleep(SPOKEN_S)  # the citizen speaks
        await caller.phone.key("5")
        await caller.hears(*SPEAK, *CHECK, *KEPT)
        await caller.hears("menu.main", *SPEAK, *CHECK, *KEPT, "menu.main")
        ended = await caller.leave()
    assert ended.outcome == "machine"
    name, about, number, length_ms, spoken_ms, due_at, path, recorded_ms, alarms = await message(hotline, caller)
    assert (name, about, alarms) == (f"{caller.call_id}.m1", "leave", [])
    assert number == f"+86{caller.phone.identity.user}"
    assert abs(length_ms - 1000 * SPOKEN_S) < 1000
    assert abs(recorded_ms - length_ms) < 100
    assert 0 < spoken_ms <= length_ms
    assert began + timedelta(days=1) < due_at < began + timedelta(days=14)
    assert speaks_throughout(hotline.recording(path))

    code, out, _ = await hotline.rexian("message", "list", "--json")
    [listed] = [one for one in json.loads(out)["messages"] if one["message"] == name]
    assert (code, listed["recording"], listed["calling_number"]) == (0, str(hotline.recording(path)), number)
    assert (await hotline.rexian("message", "answered", name, "--adviser", "8001"))[0] == 0
    code, _, error = await hotline.rexian("message", "answered", name, "--adviser", "8001")
    assert (code, f"no voice message {name} waits for an answer" in error) == (1, True)
    answered = await hotline.sql("SELECT answered_by FROM voice_messages WHERE message = $1", name)
    assert answered == [("8001",)]
    assert name not in (await hotline.rexian("message", "list"))[1]


async def test_whoever_hangs_up_while_speaking_has_left_a_message(hotline: Hotline) -> None:
    async with hotline.caller("1", line=LINE) as caller:
        await caller.hears(*SPEAK)
        await asyncio.sleep(SPOKEN_S)  # the citizen speaks
        assert (await caller.leave()).outcome == "machine"
    assert (await caller.saw(ServiceUsed)).outcome == "hung_up"
    *_, path, recorded_ms, alarms = await message(hotline, caller)
    assert abs(recorded_ms - 1000 * SPOKEN_S) < 1000
    assert alarms == []
    assert speaks_throughout(hotline.recording(path))


async def test_who_says_nothing_leaves_none_and_is_in_the_menu_again(hotline: Hotline) -> None:
    async with hotline.caller("1", line=LINE, says=np.zeros(RATE_HZ, dtype=np.int16)) as caller:
        await caller.hears(*SPEAK, "message.nothing", *SPEAK, "message.nothing", "menu.main")
        await caller.leave()
    assert (await caller.saw(ServiceUsed)).outcome == "gave_up"
    assert await hotline.sql("SELECT * FROM voice_messages WHERE call_id = $1", caller.call_id) == []
    assert await hotline.sql("SELECT * FROM recordings WHERE call_id = $1", caller.call_id) == []


async def test_pauses_are_not_taken_for_the_end_nor_counted_as_speech(hotline: Hotline) -> None:
    """A second of tone, a second and a half of silence: whoever pauses for less than `quiet_s` has not finished."""
    halting = np.concatenate([tone(CITIZEN_HZ, 1), np.zeros(RATE_HZ * 3 // 2, dtype=np.int16)])
    async with hotline.caller("1", line=LINE, says=halting) as caller:
        await caller.hears(*SPEAK)
        await asyncio.sleep(7.5)  # the citizen speaks, three times
        await caller.phone.key("#")
        await caller.hears(*CHECK, *KEPT)
        await caller.leave()
    left = await caller.saw(VoiceMessageLeft)
    assert abs(left.length_ms - 7500) < 1000
    assert 0.25 < left.spoken_ms / left.length_ms < 0.6


async def test_a_message_can_be_said_anew(hotline: Hotline) -> None:
    async with hotline.caller("1", line=LINE) as caller:
        await caller.hears(*SPEAK)
        await asyncio.sleep(1.5)  # the citizen speaks
        await caller.phone.key("#")
        await caller.hears(*SPEAK, *CHECK)
        await caller.phone.key("2")
        await caller.hears(*SPEAK, *CHECK, *SPEAK)
        await asyncio.sleep(SPOKEN_S)  # the citizen speaks
        await caller.phone.key("#")
        await caller.hears(*SPEAK, *CHECK, *SPEAK, *CHECK, *KEPT)
        await caller.leave()
    name, *_, path, recorded_ms, _ = await message(hotline, caller)
    assert name == f"{caller.call_id}.m2"
    assert abs(recorded_ms - 1000 * SPOKEN_S) < 1000
    assert speaks_throughout(hotline.recording(path))


@pytest.mark.parametrize(("key", "queue", "before"), [("2", "nobody", ()), ("3", "back", ("queue.enter",))])
async def test_who_cannot_wait_or_has_waited_too_long_may_leave_a_message(
    hotline: Hotline, key: str, queue: str, before: tuple[str, ...]
) -> None:
    async with hotline.adviser("1004", "8019"):
        await hotline.not_ready("1004")
        async with hotline.caller(key, line=LINE) as caller:
            await caller.hears("menu.main", *before, "busy.message", *SPEAK)
            await asyncio.sleep(SPOKEN_S)  # the citizen speaks
            await caller.phone.key("#")
            await caller.hears("busy.message", *SPEAK, *CHECK, *KEPT, "goodbye")
            await caller.over()
    assert (await caller.saw(QueueLeft)).outcome == "message"
    assert (await message(hotline, caller))[1] == queue


async def test_outside_the_hours_the_machine_serves_and_a_person_is_left_a_message(hotline: Hotline) -> None:
    async with hotline.caller("20", line=NIGHT_LINE, barge=False) as caller:
        await caller.hears("notice", "language.offer.1", "digit.2")
        await caller.phone.key("2")
        await caller.hears(
            "digit.2", "notice", "queue.closed", "closed.next", "menu.other", "info.documents", "menu.other"
        )
        await caller.hears("info.documents", "menu.other", "message.night", *SPEAK)
        await asyncio.sleep(SPOKEN_S)  # the citizen speaks
        await caller.phone.key("#")
        await caller.hears("message.night", *SPEAK, *CHECK, "message.kept.1", "number.3", "message.kept.2", "goodbye")
        await caller.over()
    assert [(await caller.saw(NoticeHeard, times)).language for times in (1, 2)] == ["zh-CN", "en"]
    assert (await message(hotline, caller))[1] == "cards"


async def test_a_complaint_is_marked_as_one_and_nought_leads_to_a_person_in_the_middle_of_it(hotline: Hotline) -> None:
    async with hotline.caller("4", line=LINE) as caller:
        await caller.hears("complaint.ask", "message.tone")
        await asyncio.sleep(1.5)  # the citizen speaks
        await caller.phone.key("0")
        await caller.hears("complaint.ask", "message.tone", "busy.message")  # nobody is at work in that queue
        await caller.leave()
    name, about, *_ = await message(hotline, caller)
    row = await hotline.sql("SELECT purpose, adviser, visit FROM voice_messages WHERE message = $1", name)
    assert (about, row) == ("complaint", [("complaint", None, None)])
    listed = json.loads((await hotline.rexian("message", "list", "--json"))[1])["messages"]
    assert [one["purpose"] for one in listed if one["message"] == name] == ["complaint"]
    assert (await caller.saw(ServiceUsed)).outcome == "done"


async def test_a_controller_that_dies_while_somebody_speaks_loses_no_word(hotline: Hotline) -> None:
    async with hotline.caller("1", line=LINE) as caller:
        await caller.hears(*SPEAK)
        await asyncio.sleep(1.5)  # the citizen speaks
        await hotline.all_kept()
        kill(hotline, "controller")
        await until_working(hotline)
        await caller.hears(*SPEAK, *KEPT)
        await caller.over()
    *_, path, recorded_ms, alarms = await message(hotline, caller)
    assert recorded_ms > 2000
    assert alarms == []
    assert speaks_throughout(hotline.recording(path))


async def test_a_message_whose_caller_hung_up_while_no_controller_was_there(hotline: Hotline) -> None:
    async with hotline.caller("1", line=LINE) as caller:
        await caller.hears(*SPEAK)
        await asyncio.sleep(SPOKEN_S)  # the citizen speaks
        await hotline.all_kept()
        call_id = caller.call_id
        kill(hotline, "controller")
        await caller.phone.hangup()
    await until_working(hotline)
    *_, path, recorded_ms, _ = await message(hotline, caller)
    assert call_id == caller.call_id
    assert recorded_ms > 1000 * SPOKEN_S - 1000
    assert speaks_throughout(hotline.recording(path))
    [(outcome,)] = await hotline.sql("SELECT outcome FROM calls WHERE call_id = $1", call_id)
    assert outcome == "machine"
