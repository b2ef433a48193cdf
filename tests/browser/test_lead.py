"""A team lead at the conversation of an adviser at the page: wideband, encrypted, and muted at times."""

from __future__ import annotations

import numpy as np
import pytest
from playwright.async_api import Browser, expect

from cti.phone.baresip import Phone
from cti.phone.places import RATE_HZ
from recordings.listen import Samples, dominant_hz, level_dbfs
from tests.asterisk.ears import tone_dbfs
from tests.asterisk.hotline import Hotline
from tests.asterisk.phones import SEAT_HZ, listen
from tests.asterisk.test_lead import ADVISER as PHONE_ADVISER
from tests.asterisk.test_lead import LEAD_HZ, OWN, join, lead_at
from tests.asterisk.test_lead import SEAT as PHONE_SEAT
from tests.browser.desk import Desk, account, adviser_at, opened, sign_in
from tests.browser.ear import SILENCE, hears
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


@pytest.mark.long
async def test_a_lead_listens_and_whispers_by_the_page_itself(colleagues_browser: Browser, hotline: Hotline) -> None:
    """Without a telephone, or a seat of her own."""
    name, password = await account(hotline, None, "lead")
    silence = np.zeros(RATE_HZ, np.int16)
    async with (
        opened(colleagues_browser, hotline) as lead,
        hotline.adviser(PHONE_SEAT, PHONE_ADVISER) as seat,
        hotline.caller("2", says=silence) as caller,
    ):
        await sign_in(lead, name, password)
        await caller.connected()
        await lead.page.get_by_label("我的话机在坐席").select_option(OWN)
        await lead.press("用这个网页接听")
        await expect(lead.page.locator(".phone .chip.there")).to_be_visible()
        await by_page(lead, "监听")
        await lead.says(f"您在坐席 {PHONE_SEAT} 的通话里")
        await hears(lead.page, SEAT_HZ)
        await by_page(lead, "耳语")
        await eventually(lambda: _is_loudest(seat, LEAD_HZ))
        assert tone_dbfs(await _heard(caller.phone), LEAD_HZ) < LOUD_DBFS
        await by_page(lead, "强插")
        await eventually(lambda: _says(caller.phone, LEAD_HZ))
        await lead.picture("lead-by-page")
        await lead.page.locator(".note").get_by_role("button", name="退出").click()
        await lead.page.wait_for_function(SILENCE)
        await expect(lead.page.get_by_text("的通话里")).to_be_hidden()
        await caller.leave()


async def by_page(lead: Desk, how: str) -> None:
    """A lead's choice at the one seat that is at work."""
    await lead.press(f"操作坐席 {PHONE_SEAT}")
    await lead.page.locator(".acts").get_by_role("button", name=how).click()


async def _says(phone: Phone, hz: float) -> bool:
    return tone_dbfs(await _heard(phone), hz) > LOUD_DBFS


async def _heard(phone: Phone) -> Samples:
    return (await listen(phone, 1))[-RATE_HZ:] / 32768


async def _is_loudest(phone: Phone, hz: float) -> bool:
    last = await _heard(phone)
    return level_dbfs(last) > LOUD_DBFS and abs(dominant_hz(last, RATE_HZ) - hz) < 10


async def _hears_nothing(phone: Phone) -> bool:
    return level_dbfs(await _heard(phone)) < -60
