"""The wallboard in a real browser: what callers and seats do is seen at once, on screens of two sizes, in both languages."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from playwright.async_api import Browser, Page, expect

from cti.desk.watching import BOARD
from cti.phone.baresip import RingOn
from tests.asterisk.hotline import Hotline
from tests.browser.desk import Desk, account, opened, sign_in
from tests.browser.test_desk_looks import AXE, FOUND
from tests.faults import stopped

pytestmark = pytest.mark.asterisk

SEAT, ADVISER, LINE = "1011", "8047", "12347"
SCREENS = ((1366, 768), (1920, 1080))
FIGURES_MS = 30_000
"""The page asks every ten seconds; only a failing test waits this long."""

OVERFLOWS = """() => [
    ...[document.documentElement].filter((page) => page.scrollWidth > innerWidth || page.scrollHeight > innerHeight),
    ...[...document.querySelectorAll('.board, .board *')]
        .filter((one) => one.clientWidth > 0 && !one.closest('svg, nav') && getComputedStyle(one).display !== 'inline')
        .filter((one) => one.scrollWidth > one.clientWidth + 1
            || one.matches('.panel') && one.scrollHeight > one.clientHeight + 1),
].map((one) => `${one.tagName} ${one.className}: ${one.textContent}`)"""
"""What does not fit where it stands."""


@asynccontextmanager
async def screen(browser: Browser, hotline: Hotline, size: tuple[int, int] = SCREENS[1]) -> AsyncIterator[Desk]:
    """A screen that shows the wallboard, signed in there as one is set up."""
    name, password = await account(hotline, None, "manager")
    async with opened(browser, hotline, size) as desk:
        await desk.page.goto("/desk/#board")
        await desk.says("在这里登录只看大屏")
        await sign_in(desk, name, password)
        await expect(desk.page.locator('[data-figure="answered"] b')).to_be_visible(timeout=FIGURES_MS)
        yield desk
        await desk.page.get_by_role("button", name="退出").click(force=True)  # shown to a mouse
        await expect(desk.page.get_by_label("账号")).to_be_visible()
    code, _, err = await hotline.rexian("account", "change", name, "--role", "manager", "--disabled")
    assert code == 0, err


async def shows(page: Page, what: str, text: str) -> None:
    """Wait until that is to be read there."""
    await expect(page.locator(what)).to_have_text(text, timeout=FIGURES_MS)


async def counted(page: Page, figure: str) -> int:
    return int(await page.locator(f'[data-figure="{figure}"] b').inner_text())


async def test_a_caller_is_seen_to_wait_to_be_rung_for_to_talk_and_in_the_figures(
    browser: Browser, hotline: Hotline
) -> None:
    async with screen(browser, hotline) as board, hotline.adviser(SEAT, ADVISER, RingOn()) as phone:
        page = board.page
        await shows(page, '[data-seats="ready"] b', "1")
        await shows(page, '[data-live="waiting"]', "0")
        await shows(page, '[data-live="longest"]', "—")
        answered, abandoned = await counted(page, "answered"), await counted(page, "abandoned")

        await hotline.not_ready(SEAT)
        async with hotline.caller("1", line=LINE) as caller:
            await shows(page, '[data-live="waiting"]', "1")
            await expect(page.locator('[data-live="longest"]')).to_have_text("0:03", timeout=FIGURES_MS)
            await shows(page, '[data-seats="not_ready"] b', "1")
            await expect(page.get_by_role("row", name="desk")).to_contain_text("1")
            await hotline.ready(SEAT)
            await shows(page, '[data-seats="ringing"] b', "1")
            await board.picture("board-ringing")
            await phone.answer()
            await caller.connected()
            await shows(page, '[data-seats="talking"] b', "1")
            await shows(page, '[data-live="waiting"]', "0")
            await shows(page, '[data-figure="answered"] b', str(answered + 1))
            await caller.leave()

        await hotline.seat_is(SEAT, "ready")
        await hotline.not_ready(SEAT)
        async with hotline.caller("1", line=LINE) as caller:
            await shows(page, '[data-live="waiting"]', "1")
            await caller.leave()
            await shows(page, '[data-live="waiting"]', "0")
            await shows(page, '[data-figure="abandoned"] b', str(abandoned + 1))
            await expect(page.get_by_role("img")).to_have_attribute("aria-label", re.compile("放弃 [1-9]"))


@pytest.mark.parametrize("size", SCREENS)
async def test_everything_fits_on_the_screen_and_axe_finds_nothing_serious_in_both_languages(
    browser: Browser, hotline: Hotline, size: tuple[int, int]
) -> None:
    async with screen(browser, hotline, size) as board:
        for language, other, title in (("zh", "English", "运营大屏"), ("en", "中文", "Wallboard")):
            await board.says(title)
            assert await board.page.evaluate(OVERFLOWS) == []
            await board.page.evaluate(AXE)
            assert await board.page.evaluate(FOUND) == []
            await board.picture(f"board-{size[0]}-{language}")
            await board.press(other)


async def test_a_database_that_is_away_takes_the_figures_and_nothing_else(browser: Browser, hotline: Hotline) -> None:
    async with screen(browser, hotline) as board, hotline.adviser(SEAT, ADVISER, RingOn()):
        page = board.page
        stale = page.get_by_role("alert")
        await hotline.not_ready(SEAT)
        async with stopped(hotline, "postgres"):
            await expect(stale).to_have_text(
                re.compile(r"今天的数字停在 \d\d:\d\d:\d\d（数据库没有回应）"), timeout=FIGURES_MS
            )
            async with hotline.caller("1", line=LINE) as caller:
                await shows(page, '[data-live="waiting"]', "1")
                await expect(page.get_by_role("region", name="告警")).to_contain_text("数据库", timeout=FIGURES_MS)
                assert await page.evaluate(OVERFLOWS) == []
                await board.picture("board-stale")
                await caller.leave()
        await expect(stale).to_have_text("", timeout=FIGURES_MS)


async def test_a_feed_that_is_lost_is_told_with_since_when(browser: Browser, hotline: Hotline) -> None:
    async with screen(browser, hotline) as board:
        stale = board.page.get_by_role("alert")
        async with stopped(hotline, "nginx"):
            await expect(stale).to_have_text(re.compile(r"实时数据从 \d\d:\d\d:\d\d 起没有更新"), timeout=FIGURES_MS)
        await expect(stale).to_have_text("", timeout=FIGURES_MS)


async def test_a_way_that_is_cut_without_a_word_is_noticed_too(browser: Browser, hotline: Hotline) -> None:
    async with screen(browser, hotline) as board:
        stale = board.page.get_by_role("alert")
        await board.page.context.set_offline(True)
        await expect(stale).to_have_text(re.compile("实时数据从.*今天的数字停在.*热线没有回应"), timeout=60_000)
        assert await board.page.evaluate(OVERFLOWS) == []
        await board.picture("board-cut")
        await board.page.context.set_offline(False)
        await expect(stale).to_have_text("", timeout=FIGURES_MS)


async def test_a_lead_goes_to_the_wallboard_and_back_and_an_adviser_is_not_asked(
    browser: Browser, hotline: Hotline
) -> None:
    name, password = await account(hotline, None, "lead")
    async with opened(browser, hotline) as desk:
        await sign_in(desk, name, password)
        await desk.press("大屏")
        await expect(desk.page.locator('[data-live="waiting"]')).to_be_visible()
        await desk.press("离开大屏")
        await desk.says("各坐席")
    name, password = await account(hotline, "8046", "adviser")
    async with opened(browser, hotline) as desk:
        await desk.page.goto("/desk/#board")
        await sign_in(desk, name, password)
        await desk.says("请选坐席")
        await expect(desk.page.get_by_role("button", name="大屏")).to_have_count(0)
        answer = await desk.page.request.get(BOARD)
        assert answer.status == 403
