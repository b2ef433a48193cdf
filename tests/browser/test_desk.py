"""An adviser's whole call in the page: a real browser with real sound, a citizen at a real telephone."""

from __future__ import annotations

import pytest
import soundfile  # type: ignore[import-untyped]  # it ships no types
from playwright.async_api import Browser, expect

from calls.facts import ConversationEnded, SeatOffered
from cti.phone.places import RATE_HZ
from cti.phone.sound import Samples
from recordings.listen import Samples as Sound
from recordings.listen import dominant_hz, level_dbfs
from tests.asterisk.ears import tone_dbfs
from tests.asterisk.hotline import Caller, Hotline
from tests.asterisk.phones import CITIZEN_HZ, SEAT_HZ, listen
from tests.browser.desk import account, adviser_at, opened, sign_in
from tests.browser.ear import hears
from tests.eventually import eventually
from tests.faults import kill, stopped, until_working

pytestmark = pytest.mark.asterisk

SEAT, ADVISER, LINE = "1011", "8047", "12347"
KNOWN = "13912345678"
LOST = "与热线的连接断了"
LOUD_DBFS = -45.0
"""Syllables are silence for half of the time."""


async def recorded(hotline: Hotline, visit: str) -> Sound:
    """The recording of a conversation, whole; caller left, adviser right."""
    await eventually(lambda: _sealed(hotline, visit))
    [(path, alarms)] = await hotline.sql("SELECT path, alarms FROM recordings WHERE visit = $1", visit)
    assert alarms == []
    sound: Sound = soundfile.read(hotline.recording(path))[0]
    return sound


async def _sealed(hotline: Hotline, visit: str) -> bool:
    return bool(await hotline.sql("SELECT 1 FROM recordings WHERE visit = $1", visit))


async def hears_the_adviser(caller: Caller) -> None:
    """Wait until what the citizen hears is the adviser's tone, in its syllables."""
    await eventually(lambda: _hears_adviser(caller))


async def _hears_adviser(caller: Caller) -> bool:
    return is_adviser(await listen(caller.phone, 0.5))


def is_adviser(sound: Samples) -> bool:
    last = sound[-RATE_HZ // 2 :] / 32768
    return level_dbfs(last) > -45 and abs(dominant_hz(last, RATE_HZ) - SEAT_HZ) < 10


async def test_a_call_from_the_ring_to_the_rating(browser: Browser, hotline: Hotline) -> None:
    async with adviser_at(browser, hotline, SEAT, ADVISER) as desk:
        await desk.says("等待来电")
        async with hotline.caller("1", line=LINE, number=KNOWN, rate="5") as caller:
            await expect(desk.page.get_by_role("button", name="接听")).to_be_visible(timeout=30_000)
            for shown in ("139 1234 5678", "江苏省常州市", "社保卡", "30 天内没有来过电话"):
                await desk.says(shown)
            await desk.picture("desk-ringing")
            await desk.page.keyboard.press("Space")
            answered = await caller.connected()
            assert (answered.seat, answered.adviser) == (SEAT, ADVISER)
            await hears(desk.page, CITIZEN_HZ)
            await hears_the_adviser(caller)

            await desk.page.keyboard.press("h")
            await hotline.seat_is(SEAT, "holding")
            await desk.says("保持中")
            await eventually(lambda: _hears_music(caller))
            await desk.page.keyboard.press("h")
            await hotline.seat_is(SEAT, "talking")
            await hears_the_adviser(caller)

            await desk.page.keyboard.press("m")
            await eventually(lambda: _hears_nothing(caller))
            await hears(desk.page, CITIZEN_HZ)
            await desk.page.keyboard.press("m")
            await hears_the_adviser(caller)

            note = desk.page.get_by_label("备注")
            await note.fill("问社保卡怎么激活，")
            await note.press_sequentially("hm")  # letters, here: neither hold nor mute
            await hotline.seat_is(SEAT, "talking")
            await desk.page.get_by_label("业务分类").first.press_sequentially("jh")
            await desk.page.keyboard.press("Enter")
            await desk.page.get_by_label("已解答").check()
            await desk.picture("desk-talking")
            await desk.press("结束通话")
            assert (await caller.saw(ConversationEnded)).ended_by == "seat"
            await caller.over()
        await note.press("Control+Enter")
        await expect(note).to_be_hidden()
        await hotline.seat_is(SEAT, "ready")
        await desk.says("等待来电")
        written = "SELECT adviser, category, topic, result, note, due_at FROM wrap_ups WHERE visit = $1"
        assert await hotline.sql(written, answered.visit) == [
            (ADVISER, "社会保障卡", "社会保障卡激活", "answered", "问社保卡怎么激活，hm", None)
        ]
        sound = await recorded(hotline, answered.visit)
        assert tone_dbfs(sound[:, 0], CITIZEN_HZ) > LOUD_DBFS
        assert tone_dbfs(sound[:, 1], SEAT_HZ) > LOUD_DBFS

        async with hotline.caller("1", line=LINE, number=KNOWN) as again:
            await expect(desk.page.get_by_role("button", name="接听")).to_be_visible(timeout=30_000)
            await desk.says("30 天内第 2 次来电")
            for shown in (f"{ADVISER} 号接的", "社会保障卡激活 · 已解答", "问社保卡怎么激活，hm"):
                await desk.says(shown)
            await desk.says("评价 5")
            await desk.picture("desk-again")
            await desk.answer()
            await again.connected()
            await again.leave()


async def _hears_music(caller: Caller) -> bool:
    sound = await listen(caller.phone, 0.5)
    return not is_adviser(sound) and level_dbfs(sound / 32768) > -40


async def _hears_nothing(caller: Caller) -> bool:
    return level_dbfs(await listen(caller.phone, 0.5) / 32768) < -60


async def test_a_page_that_is_loaded_anew_in_mid_call_has_the_call_again(browser: Browser, hotline: Hotline) -> None:
    async with (
        adviser_at(browser, hotline, SEAT, ADVISER) as desk,
        hotline.caller("1", line=LINE) as caller,
    ):
        await desk.answer()
        await caller.connected()
        await hears_the_adviser(caller)
        await desk.page.get_by_label("备注").fill("边说边记")
        await desk.says("已存")
        await desk.page.reload()
        await hears(desk.page, CITIZEN_HZ)
        await hears_the_adviser(caller)
        await expect(desk.page.get_by_label("备注")).to_have_value("边说边记")
        await desk.page.keyboard.press("h")
        await hotline.seat_is(SEAT, "holding")
        await desk.page.reload()
        await hotline.seat_is(SEAT, "talking")  # whoever loads the page anew wants to speak
        await hears(desk.page, CITIZEN_HZ)
        await hears_the_adviser(caller)
        await desk.press("结束通话")
        over = await caller.saw(ConversationEnded)
        assert over.ended_by == "seat"
        await caller.leave()
        sound = await recorded(hotline, over.visit)
        assert tone_dbfs(sound[-RATE_HZ:, 1], SEAT_HZ) > LOUD_DBFS, "the last leg is recorded, too"
        assert [fact.visit for fact in caller.facts if isinstance(fact, SeatOffered)] == [over.visit]


async def test_a_call_that_nobody_answers_goes_on_and_the_page_says_why(browser: Browser, hotline: Hotline) -> None:
    async with adviser_at(browser, hotline, SEAT, ADVISER) as desk, hotline.caller("1", line=LINE) as caller:
        await expect(desk.page.get_by_role("button", name="接听")).to_be_visible(timeout=30_000)
        await hotline.seat_is(SEAT, "not_ready")
        await desk.says("有来电没有接，已退回队列")
        await expect(desk.page.get_by_role("button", name="接听")).to_be_hidden()
        await desk.press("就绪")
        await desk.answer()
        await caller.connected()
        await caller.leave()


async def test_a_controller_that_is_killed_while_the_broker_is_away_ends_no_conversation_and_the_page_tells(
    browser: Browser, hotline: Hotline
) -> None:
    async with adviser_at(browser, hotline, SEAT, ADVISER) as desk, hotline.caller("1", line=LINE) as caller:
        await desk.answer()
        await caller.connected()
        async with stopped(hotline, "mosquitto"):
            await desk.page.keyboard.press("h")
            await desk.says("保持中")
            await desk.page.keyboard.press("h")
            await desk.says("通话中")
            await desk.page.get_by_label("备注").fill("控制器停了也不丢")
            await desk.says("已存")
            await expect(desk.page.get_by_text(LOST)).to_be_hidden()
            kill(hotline, "controller")
            await desk.says(LOST)
            await hears(desk.page, CITIZEN_HZ)
            await hears_the_adviser(caller)
            await expect(desk.page.get_by_text(LOST)).to_be_hidden(timeout=15_000)
        await until_working(hotline)
        await desk.says("通话中")
        await expect(desk.page.get_by_label("备注")).to_have_value("控制器停了也不丢")
        await hears(desk.page, CITIZEN_HZ)
        await desk.press("结束通话")
        assert (await caller.saw(ConversationEnded)).ended_by == "seat"
        await caller.leave()


async def test_a_page_whose_way_to_the_hotline_is_cut_goes_on_talking_and_is_there_again(
    browser: Browser, hotline: Hotline
) -> None:
    async with adviser_at(browser, hotline, SEAT, ADVISER) as desk, hotline.caller("1", line=LINE) as caller:
        await desk.answer()
        await caller.connected()
        async with stopped(hotline, "nginx"):
            await desk.says(LOST)
            await desk.says("话机断开，正在重连")
            await hears(desk.page, CITIZEN_HZ)
            await hears_the_adviser(caller)
        await desk.says("话机正常")
        await expect(desk.page.get_by_text(LOST)).to_be_hidden(timeout=15_000)
        await hears(desk.page, CITIZEN_HZ)
        await caller.leave()  # which the page may not be told: its old way is gone
        await expect(desk.page.get_by_role("button", name="结束通话")).to_be_hidden(timeout=15_000)
        await desk.says("等待来电")


async def test_a_lead_sees_the_floor_and_acts_at_a_seat(browser: Browser, hotline: Hotline) -> None:
    name, password = await account(hotline, None, "lead")
    async with adviser_at(browser, hotline, SEAT, ADVISER) as desk, opened(browser, hotline) as lead:
        await sign_in(lead, name, password)
        await lead.says("在席 1，就绪 1")
        async with hotline.caller("1", line=LINE) as caller:
            await desk.answer()
            await caller.connected()
            await expect(lead.page.locator(".seat").filter(has_text=SEAT)).to_contain_text("通话中")
            assert caller.phone.identity.user not in await lead.page.content(), "the number is the adviser's to see"
            await lead.press(f"操作坐席 {SEAT}")
            await lead.page.locator(".acts").get_by_role("button", name="置忙").click()
            await desk.press("结束通话")
            await caller.leave()
        await hotline.seat_is(SEAT, "not_ready")  # as the lead wished, once the call was over
        did = await hotline.sql("SELECT did, about FROM audit WHERE account = $1 ORDER BY number DESC LIMIT 1", name)
        assert did == [("seat_changed", f"{SEAT} {ADVISER} seat_not_ready")]
