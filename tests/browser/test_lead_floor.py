"""A team lead on the floor: a message that is read, a skill for the day, a caller who waits given to a seat, a crisis."""

from __future__ import annotations

import pytest
from playwright.async_api import Browser, expect

from calls.facts import ConversationEnded, CrisisMarked, QueueEntered, SeatOffered
from tests.asterisk.hotline import Hotline
from tests.browser.desk import account, adviser_at, opened, sign_in
from tests.browser.test_desk_looks import looks_well
from tests.eventually import eventually

pytestmark = [pytest.mark.asterisk, pytest.mark.long]

SEAT, ADVISER, LINE = "1012", "8052", "12347"
WORDS = "三点到会议室，说一说退休审批。"


async def test_a_lead_writes_moves_a_skill_and_gives_a_waiting_caller_to_a_seat(
    browser: Browser, hotline: Hotline
) -> None:
    name, password = await account(hotline, None, "lead")
    async with adviser_at(browser, hotline, SEAT, ADVISER) as desk, opened(browser, hotline) as lead:
        await sign_in(lead, name, password)
        await lead.page.get_by_label("消息", exact=True).fill(WORDS)
        await lead.press("发送")
        await desk.says(WORDS)
        await lead.says(f"未读：{ADVISER}")
        await desk.page.reload()
        await desk.says(WORDS)
        await desk.picture("notice")
        await desk.press("已读")
        await expect(desk.page.get_by_text(WORDS)).to_be_hidden()
        await lead.says("都已读")

        row = lead.page.locator(".seat").filter(has_text=SEAT)
        await lead.press(f"操作坐席 {SEAT}")
        await row.get_by_label("养老").select_option("2")
        await lead.says("今天调过的技能")
        assert (await hotline.status()).skills_moved == {ADVISER: {"pension": 2}}
        await desk.says("班长今天调整了您的技能：养老 2 级")
        await lead.press("撤销")
        await expect(lead.page.get_by_text("今天调过的技能")).to_be_hidden()
        await eventually(lambda: _skills_are_the_files(hotline))

        await desk.press("置忙")
        await desk.press("小休")
        async with hotline.caller("1", line=LINE) as caller:
            visit = (await caller.saw(QueueEntered)).visit
            await row.get_by_label("desk").select_option("0")
            await lead.says("desk 1 级")
            await desk.press("就绪")
            await hotline.seat_is(SEAT, "ready")
            await lead.says("没有可接听的坐席就绪，1 人在等")
            await lead.press("指定")
            await looks_well(lead, "floor-waiting")
            await lead.press(f"{SEAT} · {ADVISER}")
            await desk.answer()
            await caller.connected()
            offered = await caller.saw(SeatOffered)
            assert (offered.visit, offered.seat, offered.why) == (visit, SEAT, "pulled: skill desk 1")
            await lead.press("撤销")

            await desk.press("标为危机来电")
            assert (await caller.saw(CrisisMarked)).adviser == ADVISER
            await lead.says(f"坐席 {SEAT}，工号 {ADVISER}，从")
            await desk.says("班长已经知道")
            await looks_well(desk, "crisis")
            await lead.picture("floor-crisis")

            await desk.press("对方没有声音")
            await desk.says("我这边听不到您的声音")
            await desk.press("说完了")
            end = desk.page.get_by_role("button", name="挂断", exact=True)
            await expect(end).to_be_disabled()
            await desk.picture("silent-line")
            await end.click()  # as soon as it can be
            assert (await caller.saw(ConversationEnded)).ended_by == "seat"
            await caller.leave()
        await expect(desk.page.get_by_label("无效来电")).to_be_checked()
        await desk.press("保存")
        await expect(desk.page.get_by_label("备注")).to_be_hidden()
        written = "SELECT topic, result FROM wrap_ups WHERE visit = $1"
        assert await hotline.sql(written, visit) == [("接听后断线", "no_question")]
        did = await hotline.sql("SELECT did FROM audit WHERE account = $1 ORDER BY number", name)
        assert [each for (each,) in did if each not in ("signed_in", "password_chosen")] == [
            "message_sent",
            "skill_moved",
            "skill_moved",
            "skill_moved",
            "caller_pulled",
            "skill_moved",
        ]


async def _skills_are_the_files(hotline: Hotline) -> bool:
    return (await hotline.status()).skills_moved == {}
