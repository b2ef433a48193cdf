"""An adviser at the page asks a colleague at another one, or somebody outside at a telephone; a lead takes a call over."""

from __future__ import annotations

import pytest
from playwright.async_api import Browser, expect

from calls.facts import ConsultationEnded, ConversationEnded
from cti.phone.baresip import AnswerAfter, Phone
from cti.phone.places import RATE_HZ, Identity
from cti.phone.sound import tone
from tests.asterisk.ears import tone_dbfs
from tests.asterisk.hotline import HOME, Hotline
from tests.asterisk.phones import CITIZEN_HZ, SEAT_HZ, listen
from tests.asterisk.test_lead import LEAD_HZ as OTHER_HZ
from tests.browser.desk import adviser_at
from tests.browser.ear import hears, hears_all
from tests.eventually import eventually

pytestmark = pytest.mark.asterisk

SEAT, ADVISER, OTHER_SEAT, OTHER, LINE = "1011", "8053", "1012", "8054", "12347"
LOUD_DBFS = -45.0
"""Syllables are silence for half of the time."""


async def hears_voices(phone: Phone, *tones: float) -> None:
    """Wait until this telephone hears these of the three voices, and no other."""
    await eventually(lambda: _hears(phone, tones))


async def _hears(phone: Phone, tones: tuple[float, ...]) -> bool:
    last = (await listen(phone, 1))[-RATE_HZ:] / 32768
    voices = (CITIZEN_HZ, SEAT_HZ, OTHER_HZ)
    return all((tone_dbfs(last, hz) > LOUD_DBFS) == (hz in tones) for hz in voices)


async def test_a_colleague_at_another_page_is_asked_and_takes_the_caller(
    browser: Browser, colleagues_browser: Browser, hotline: Hotline
) -> None:
    async with (
        adviser_at(browser, hotline, SEAT, ADVISER) as desk,
        adviser_at(colleagues_browser, hotline, OTHER_SEAT, OTHER) as colleague,
    ):
        await colleague.press("置忙")
        await colleague.press("培训")
        async with hotline.caller("1", line=LINE, rate="5") as caller:
            await desk.answer()
            await caller.connected()
            await desk.page.get_by_label("备注").fill("要问养老的同事")
            await desk.press("转接")
            await desk.picture("desk-passing")
            await desk.press(f"咨询 {OTHER}")
            await desk.says(f"正在呼叫 {OTHER} 号")
            await colleague.says(f"{ADVISER} 号向您咨询这通电话")
            await colleague.picture("desk-asked")
            await colleague.answer()
            await desk.says(f"正在咨询 {OTHER} 号")
            await desk.picture("desk-consulting")
            await desk.page.keyboard.press("h")  # now there is nobody to hold
            await hears(desk.page, OTHER_HZ)
            await hears(colleague.page, SEAT_HZ)
            await hears_voices(caller.phone)
            await desk.press("三方通话")
            await colleague.says("三方通话")
            await hears_all(desk.page, CITIZEN_HZ, OTHER_HZ)
            await hears_all(colleague.page, CITIZEN_HZ, SEAT_HZ)
            await hears_voices(caller.phone, SEAT_HZ, OTHER_HZ)
            await colleague.page.reload()
            await colleague.says("三方通话")
            await hears_all(colleague.page, CITIZEN_HZ, SEAT_HZ)
            await hears_voices(caller.phone, SEAT_HZ, OTHER_HZ)
            await desk.press("转交")
            assert (await caller.connected(2)).adviser == OTHER
            await hears(colleague.page, CITIZEN_HZ)
            await hears_voices(caller.phone, OTHER_HZ)
            await expect(desk.page.get_by_label("备注")).to_have_value("要问养老的同事")
            await expect(colleague.page.get_by_label("备注")).to_have_value("")
            assert (await caller.saw(ConsultationEnded)).outcome == "handed_over"
            await colleague.press("结束通话")
            assert (await caller.saw(ConversationEnded, 2)).adviser == OTHER
            await caller.over()
        await hotline.seat_is(OTHER_SEAT, "not_ready")
        await colleague.says("培训")


@pytest.mark.long
async def test_three_speak_when_somebody_outside_has_a_telephone(browser: Browser, hotline: Hotline) -> None:
    city, port = Identity(user="12345", server=hotline.server), hotline.settings.sip_port + HOME
    async with (
        Phone(city, answers=AnswerAfter(), microphone=tone(OTHER_HZ, 1), sip_port=port) as outside,
        adviser_at(browser, hotline, SEAT, ADVISER) as desk,
        hotline.caller("1", line=LINE) as caller,
    ):
        await desk.answer()
        await caller.connected()
        await desk.press("转接")
        await desk.press("市民热线")
        await desk.says("正在咨询 市民热线")
        await hears(desk.page, OTHER_HZ)
        await hears_voices(outside, SEAT_HZ)
        await desk.press("三方通话")
        await hears_all(desk.page, CITIZEN_HZ, OTHER_HZ)
        await hears_voices(outside, SEAT_HZ, CITIZEN_HZ)
        await hears_voices(caller.phone, SEAT_HZ, OTHER_HZ)
        await desk.press("请对方退出")
        await desk.says("通话中")
        await expect(desk.page.get_by_text("转到哪个队列")).to_be_hidden()
        await hears(desk.page, CITIZEN_HZ)
        await hears_voices(caller.phone, SEAT_HZ)
        await caller.leave()


@pytest.mark.long
async def test_a_lead_takes_a_call_over_by_her_own_page(
    browser: Browser, colleagues_browser: Browser, hotline: Hotline
) -> None:
    async with (
        adviser_at(browser, hotline, SEAT, ADVISER) as desk,
        adviser_at(colleagues_browser, hotline, OTHER_SEAT, OTHER, roles=("adviser", "lead")) as lead,
    ):
        await lead.press("置忙")
        await lead.press("会议")
        async with hotline.caller("1", line=LINE) as caller:
            await desk.answer()
            await caller.connected()
            await lead.press("现场")
            await lead.page.get_by_label("我的话机在坐席").select_option(OTHER_SEAT)
            await lead.press(f"操作坐席 {SEAT}")
            await lead.press("接管")
            assert (await caller.connected(2)).adviser == OTHER
            await hears_voices(caller.phone, OTHER_HZ)
            await hears(lead.page, CITIZEN_HZ)
            await hotline.seat_is(SEAT, "wrap_up", "ready")
            await lead.says("通话中")
            await lead.page.get_by_label("备注").fill("班长接管的")
            await lead.press("现场")
            await lead.says("各坐席")
            await lead.press("坐席")
            await expect(lead.page.get_by_label("备注")).to_have_value("班长接管的")
            await lead.press("结束通话")
            await caller.over()
        await hotline.seat_is(OTHER_SEAT, "not_ready")
