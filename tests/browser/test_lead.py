"""A team lead at the conversation of an adviser at the page: wideband, encrypted, and muted at times."""

from __future__ import annotations

import numpy as np
import pytest
from playwright.async_api import Browser

from cti.phone.baresip import Phone
from cti.phone.places import RATE_HZ
from recordings.listen import Samples, dominant_hz, level_dbfs
from tests.asterisk.ears import tone_dbfs
from tests.asterisk.hotline import Hotline
from tests.asterisk.phones import SEAT_HZ, listen
from tests.asterisk.test_lead import LEAD_HZ, join, lead_at
from tests.browser.desk import adviser_at
from tests.browser.ear import hears
from tests.eventually import eventually

pytestmark = pytest.mark.asterisk

SEAT, ADVISER, LINE = "1011", "8048", "12347"
LOUD_DBFS = -45.0
"""Syllables are silence for half of the time."""


async def test_a_lead_is_heard_by_a_page_and_through_it(browser: Browser, hotline: Hotline) -> None:
    silence = np.zeros(RATE_HZ, np.int16)
    async with (
        lead_at(hotline) as lead,
        adviser_at(browser, hotline, SEAT, ADVISER) as desk,
        hotline.caller("1", line=LINE, says=silence) as caller,
    ):
        await desk.answer()
        await caller.connected()
        await join(hotline, "listen", SEAT)
        await eventually(lambda: _is_loudest(lead, SEAT_HZ))
        await join(hotline, "whisper", SEAT)
        await hears(desk.page, LEAD_HZ)
        await eventually(lambda: _is_loudest(caller.phone, SEAT_HZ))
        assert tone_dbfs(await _heard(caller.phone), LEAD_HZ) < LOUD_DBFS
        await join(hotline, "barge", SEAT)
        await hears(desk.page, LEAD_HZ)
        await desk.page.keyboard.press("m")
        await eventually(lambda: _is_loudest(caller.phone, LEAD_HZ))
        await eventually(lambda: _hears_nothing(lead))
        await caller.leave()


async def _heard(phone: Phone) -> Samples:
    return (await listen(phone, 1))[-RATE_HZ:] / 32768


async def _is_loudest(phone: Phone, hz: float) -> bool:
    last = await _heard(phone)
    return level_dbfs(last) > LOUD_DBFS and abs(dominant_hz(last, RATE_HZ) - hz) < 10


async def _hears_nothing(phone: Phone) -> bool:
    return level_dbfs(await _heard(phone)) < -60
