"""Any standard SIP phone can make the call: sipp's own UAC, baresip, keys as events or as tones in the voice."""

from __future__ import annotations

import numpy as np
import pytest

from calls.facts import RatingKeyed
from cti.phone.sound import Samples, silence, tone
from recordings.listen import channels, dominant_hz
from tests.asterisk.hotline import Caller, Hotline
from tests.asterisk.phones import CITIZEN_HZ, SEAT_HZ, hears, listen, sipp

pytestmark = pytest.mark.asterisk

UAC_TALKS_MS = 9000
"""Notice, menu, one try without a key: an adviser has it after some 6 s, and without sound it is ended after 10."""


async def test_the_uac_that_is_built_into_sipp(hotline: Hotline) -> None:
    """It sends no sound and no keys."""
    async with hotline.adviser("1011", "8011"):
        result = await sipp("-uac", hotline.server, service="12336", host="127.0.0.2", talk_ms=UAC_TALKS_MS)
        assert result.succeeded == 1, result.errors
    await hotline.nothing_left()
    [(trunk, outcome, path, left_packets, left, right_packets)] = await hotline.sql(
        "SELECT c.trunk, v.outcome, r.path, r.left_packets, r.left_dbfs, r.right_packets FROM calls c "
        "JOIN queue_visits v USING (call_id) JOIN recordings r USING (visit) "
        "WHERE c.line = '12336' ORDER BY c.arrived_at DESC LIMIT 1"
    )
    assert (trunk, outcome, left_packets, left) == ("demo", "answered", 0, None)
    assert right_packets > 20
    (_, right), rate = channels(hotline.recording(path))
    assert abs(dominant_hz(right, rate) - SEAT_HZ) < 2


async def talks(hotline: Hotline, caller: Caller) -> str:
    """Talk both ways, rate; the trunk by which the call came."""
    await caller.connected()
    assert hears(await listen(caller.phone, 3), SEAT_HZ)
    [(trunk,)] = await hotline.sql("SELECT trunk FROM calls WHERE call_id = $1", caller.call_id)
    return str(trunk)


async def test_baresip_from_another_address_of_the_trunk(hotline: Hotline) -> None:
    async with (
        hotline.adviser("1004", "8004") as seat,
        hotline.caller("2", rate="4", barge=False, host="127.0.0.2") as caller,
    ):
        assert await talks(hotline, caller) == "demo"
        assert hears(await listen(seat), CITIZEN_HZ)
        await seat.hangup()
        assert (await caller.saw(RatingKeyed)).score == 4
        await caller.leave()


def key_2_over_and_over() -> Samples:
    """A person who presses 2 every 0.8 s, on a telephone that sends keys as tones in the voice."""
    pressed = tone(697, 0.15, 0.25) + tone(1336, 0.15, 0.25)
    return np.concatenate([pressed, silence(0.65)])


async def test_keys_as_tones_in_the_voice(hotline: Hotline) -> None:
    async with (
        hotline.adviser("1004", "8004") as seat,
        hotline.caller(host="127.0.0.9", says=key_2_over_and_over()) as caller,
    ):
        assert await talks(hotline, caller) == "tones"
        await seat.hangup()
        assert (await caller.saw(RatingKeyed)).score == 2
        await caller.leave()
    [row] = await hotline.sql("SELECT notice_whole, outcome FROM calls WHERE call_id = $1", caller.call_id)
    assert row == (True, "queued")
