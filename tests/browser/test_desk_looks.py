"""How the desk looks: nothing sticks out, axe finds nothing serious, in both languages, on a small screen and a large one."""

from __future__ import annotations

import pytest
from playwright.async_api import Browser, expect

from cti.settings import CHECKOUT
from tests.asterisk.hotline import Hotline
from tests.browser.desk import Desk, account, adviser_at, opened, sign_in

pytestmark = pytest.mark.asterisk

AXE = (CHECKOUT / "web/node_modules/axe-core/axe.min.js").read_text(encoding="utf-8")
FOUND = """
async () => (await axe.run()).violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 120)).join(' | ')}`)
"""
SIZES = ((1366, 768), (1920, 1080))
SEAT, ADVISER, LINE = "1012", "8048", "12347"
COLLEAGUE = "8004"


async def looks_well(desk: Desk, name: str) -> None:
    """In both languages, at both sizes; pictures are left in build/pictures."""
    page = desk.page
    for language, other in (("zh", "English"), ("en", "中文")):
        for width, height in SIZES:
            await page.set_viewport_size({"width": width, "height": height})
            sticks_out = await page.evaluate("document.documentElement.scrollWidth - innerWidth")
            assert sticks_out <= 0, (name, language, width)
            await desk.picture(f"{name}-{language}-{width}")
        await page.evaluate(AXE)
        assert await page.evaluate(FOUND) == [], (name, language)
        await page.get_by_role("button", name=other, exact=True).click()


async def test_every_page_of_an_advisers_day(browser: Browser, hotline: Hotline) -> None:
    name, password = await account(hotline, None, "lead")
    async with opened(browser, hotline) as desk:
        await looks_well(desk, "sign-in")
        await sign_in(desk, name, password)
        await desk.says("各坐席")
        await looks_well(desk, "floor")
    async with adviser_at(browser, hotline, SEAT, ADVISER, looks=looks_well) as desk:
        await looks_well(desk, "waiting")
        async with hotline.adviser("1004", COLLEAGUE), hotline.caller("1", line=LINE) as caller:
            await desk.answer()
            await caller.connected()
            await desk.page.get_by_label("备注").fill("问养老金什么时候发。" * 20)
            await expect(desk.page.get_by_role("button", name="结束通话")).to_be_visible()
            await looks_well(desk, "talking")
            await desk.press("转接")
            await desk.press("键盘")
            await looks_well(desk, "passing-on")
            await desk.press(f"咨询 {COLLEAGUE}")
            await expect(desk.page.get_by_text(f"正在咨询 {COLLEAGUE} 号")).to_be_visible(timeout=15_000)
            await looks_well(desk, "consulting")
            await desk.press("取回来电人")
            await desk.says("通话中")
            await caller.leave()
        await looks_well(desk, "wrap-up")
        await desk.page.get_by_label("业务分类").first.press_sequentially("tx")
        await desk.page.keyboard.press("Enter")
        await desk.page.get_by_label("已解答").check()
        await desk.page.keyboard.press("Control+Enter")
        await expect(desk.page.get_by_label("备注")).to_be_hidden()


async def test_an_adviser_needs_no_mouse(browser: Browser, hotline: Hotline) -> None:
    async with adviser_at(browser, hotline, SEAT, ADVISER) as desk, hotline.caller("1", line=LINE) as caller:
        page = desk.page
        await desk.answer()
        await caller.connected()
        await page.keyboard.press("h")
        await hotline.seat_is(SEAT, "holding")
        await page.keyboard.press("h")
        await hotline.seat_is(SEAT, "talking")
        await page.get_by_label("业务分类").first.focus()
        await page.keyboard.type("txd")
        await page.keyboard.press("Enter")
        await page.keyboard.press("Tab")
        await page.keyboard.press("Space")
        await expect(page.get_by_label("已解答")).to_be_checked()
        await page.keyboard.press("Tab")
        await page.keyboard.type("keys alone")
        await caller.leave()
        await expect(page.get_by_role("button", name="结束通话")).to_be_hidden()
        await page.keyboard.press("Control+Enter")
        await expect(page.get_by_label("备注")).to_be_hidden()
        rows = "SELECT topic, result, note FROM wrap_ups WHERE call_id = $1"
        assert await hotline.sql(rows, caller.call_id) == [("退休待遇", "answered", "keys alone")]
