"""The hold key of an adviser's telephone: the caller hears music, the seat says so, and what is recorded stays in step."""

from __future__ import annotations

import time

import pytest
import soundfile  # type: ignore[import-untyped]  # it ships no types

from calls.facts import ConversationEnded, QueueEntered
from cti.phone.baresip import Phone
from cti.phone.places import RATE_HZ
from tests.asterisk.ears import tone_dbfs
from tests.asterisk.hotline import Hotline
from tests.asterisk.phones import CITIZEN_HZ, SEAT_HZ, hears, listen
from tests.eventually import eventually
from tests.figures import tell

pytestmark = pytest.mark.asterisk

HELD_S = 3.0
LOUD_DBFS = -30.0
WINDOW = RATE_HZ // 10


async def test_a_caller_on_hold_hears_music_and_is_taken_back(hotline: Hotline) -> None:
    async with hotline.adviser("1004", "8004") as seat, hotline.caller("2") as caller:
        answered = await caller.connected()
        assert hears(await listen(caller.phone, 2), SEAT_HZ)
        await seat.hold()
        await hotline.seat_is("1004", "holding")
        held = time.monotonic()
        on_hold = await listen(caller.phone, HELD_S)
        assert not hears(on_hold, SEAT_HZ)
        assert abs(on_hold / 32768).max() > 0.01, "no music"
        await seat.resume()
        await hotline.seat_is("1004", "talking")
        back = time.monotonic()
        assert hears(await listen(caller.phone, 2), SEAT_HZ)
        received = (await seat.packets()).received
        await eventually(lambda: _hears_more_than(seat, received + 50))
        await caller.leave()
    over = await caller.saw(ConversationEnded)
    assert abs(over.held_ms - 1000 * (back - held)) < 1000
    [(path, held_ms)] = await hotline.sql(
        "SELECT r.path, v.held_ms FROM recordings r JOIN queue_visits v USING (visit) WHERE v.visit = $1",
        answered.visit,
    )
    assert held_ms == over.held_ms
    sound, _ = soundfile.read(hotline.recording(path))
    windows = [sound[start : start + WINDOW] for start in range(RATE_HZ, len(sound) - WINDOW, WINDOW)]
    assert all(tone_dbfs(window[:, 0], CITIZEN_HZ) > LOUD_DBFS for window in windows)
    adviser = [tone_dbfs(window[:, 1], SEAT_HZ) > LOUD_DBFS for window in windows]
    first, last = adviser.index(False), len(adviser) - adviser[::-1].index(False)
    assert not any(adviser[first:last])
    silent_ms = 1000 * (last - first) * WINDOW / RATE_HZ
    tell("on hold: the adviser is silent in the recording longer than by the books", silent_ms - held_ms, "ms")
    assert abs(silent_ms - held_ms) < 500  # the telephone sends nothing on hold, and yet the rest is in its place


async def _hears_more_than(phone: Phone, packets: int) -> bool:
    """Counted: its own file of what it heard ends with the hold."""
    return (await phone.packets()).received > packets


async def test_a_telephone_that_dies_with_a_caller_on_hold(hotline: Hotline) -> None:
    """Its silence would tell nobody: a telephone on hold says nothing anyway."""
    async with hotline.adviser("1004", "8004") as lost, hotline.caller("2") as caller:
        await caller.connected()
        await lost.hold()
        await hotline.seat_is("1004", "holding")
        began = time.monotonic()
        await lost.kill()
        assert (await caller.saw(ConversationEnded)).ended_by == "fault"
        tell("telephone gone with a caller on hold: told after", time.monotonic() - began, "s")
        await caller.hears("seat.lost", "queue.enter")
        assert (await caller.saw(QueueEntered, times=2)).returned
        await hotline.seat_is("1004", "not_ready")
        await caller.leave()
    await hotline.nothing_left()
