"""The page at the door, behind TLS: whether the hotline answers, in two languages, also for those without script."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, Page, expect

from tests.deployment import Deployment

pytestmark = pytest.mark.asterisk

SCREENSHOT = "build/page.png"
LOOKS_AGAIN_MS = 30_000
"""The page looks every 10 s; only a failing test waits this long."""

HEADERS = {
    "content-security-policy": "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; "
    "object-src 'none'",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
}


@pytest.fixture
async def page(browser: Browser, door: Deployment) -> AsyncIterator[Page]:
    """A page of a visitor who has never been there."""
    context = await browser.new_context(
        base_url=door.web, viewport={"width": 1100, "height": 1020}, ignore_https_errors=True
    )
    yield await context.new_page()
    await context.close()


async def test_it_says_that_the_hotline_answers_and_on_which_line(page: Page) -> None:
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("requestfailed", lambda request: complaints.append(request.url))
    await page.goto("/")
    await expect(page.get_by_role("status")).to_have_text("热线正在接听 您现在就可以拨打。", use_inner_text=True)
    await expect(page.get_by_role("link", name="12333")).to_have_attribute("href", "tel:12333")
    await expect(page).to_have_title("12333 热线")
    await page.screenshot(path=SCREENSHOT, full_page=True)
    assert complaints == []


async def test_it_speaks_english_when_asked_and_chinese_again(page: Page) -> None:
    await page.goto("/")
    await page.get_by_role("link", name="English").click()
    await expect(page.get_by_role("status")).to_contain_text("The hotline is answering")
    await expect(page.get_by_text("热线正在接听")).to_be_hidden()
    await expect(page.locator("html")).to_have_attribute("lang", "en")
    await page.reload()
    await expect(page.get_by_text("You can call now.")).to_be_visible()
    await page.get_by_role("link", name="中文").click()
    await expect(page.get_by_text("您现在就可以拨打。")).to_be_visible()
    await expect(page.get_by_text("You can call now.")).to_be_hidden()


async def test_everything_has_the_headers_that_keep_a_browser_safe(page: Page) -> None:
    for path in ("/", "/page.js", "/page.css", "/icon.svg", "/api/health", "/nothing-here"):
        answer = await page.request.get(path)
        missing = {name: value for name, value in HEADERS.items() if answer.headers.get(name) != value}
        assert missing == {}, path
        assert answer.headers["server"] == "nginx", path


async def test_it_keeps_nothing_of_the_visitor_and_asks_nobody_else(page: Page, door: Deployment) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    await page.goto("/#en")
    await expect(page.get_by_text("You can call now.")).to_be_visible()
    assert {url.removeprefix(door.web) for url in asked} <= {
        "/#en",
        "/",
        "/page.css",
        "/page.js",
        "/icon.svg",
        "/api/health",
    }
    assert await page.context.cookies() == []
    assert await page.evaluate("localStorage.length + sessionStorage.length") == 0


@pytest.mark.parametrize("width", [320, 390, 1600])
async def test_nothing_sticks_out_on_small_screens_and_large_ones(page: Page, width: int) -> None:
    await page.set_viewport_size({"width": width, "height": 800})
    for language in ("", "#en"):
        await page.goto(f"/{language}")
        await expect(page.locator("#hotline")).to_have_attribute("data-state", "answering")
        assert await page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0


async def test_without_script_it_says_the_number_in_both_languages(browser: Browser, door: Deployment) -> None:
    context = await browser.new_context(base_url=door.web, java_script_enabled=False, ignore_https_errors=True)
    page = await context.new_page()
    await page.goto("/")
    await expect(page.get_by_role("link", name="12333")).to_be_visible()
    await expect(page.get_by_text("请直接拨打")).to_be_visible()
    await expect(page.get_by_text("Please just call.")).to_be_visible()
    await expect(page.get_by_text("热线正在接听")).to_be_hidden()
    await context.close()


async def test_behind_a_certificate_a_newcomer_has_a_telephone_in_the_page(page: Page, door: Deployment) -> None:
    """As the block at the start says it: the desk's address, demo1 and the password."""
    demo = json.loads((door.settings.state_dir / "demo.json").read_text())["desk"]
    answer = await page.request.get(door.web.replace("https:", "http:") + "/desk/", max_redirects=0)
    assert (answer.status, answer.headers["location"]) == (301, f"{door.web}/desk/")
    await page.goto("/desk/")
    await page.get_by_label("账号").fill(demo["accounts"].split()[0])
    await page.get_by_label("密码", exact=True).fill(demo["password"])
    await page.get_by_role("button", name="登录").click()
    await page.get_by_role("button", name="1001").click()
    await page.get_by_role("button", name="开始上班").click()
    await expect(page.get_by_text("话机正常")).to_be_visible(timeout=15_000)
    [cookie] = await page.context.cookies()
    assert (cookie["secure"], cookie["httpOnly"], cookie["sameSite"]) == (True, True, "Strict")


async def test_a_lost_asterisk_is_recovering_a_lost_controller_is_silence(page: Page, door: Deployment) -> None:
    await page.goto("/")
    state = page.locator("#hotline")
    await expect(state).to_have_attribute("data-state", "answering")
    door.supervisorctl("stop", "asterisk")
    await expect(state).to_have_attribute("data-state", "impaired", timeout=LOOKS_AGAIN_MS)
    await expect(page.get_by_text("热线正在恢复")).to_be_visible()
    door.supervisorctl("start", "asterisk")
    await expect(state).to_have_attribute("data-state", "answering", timeout=LOOKS_AGAIN_MS)
    door.supervisorctl("stop", "controller")
    await expect(state).to_have_attribute("data-state", "silent", timeout=LOOKS_AGAIN_MS)
    await expect(page.get_by_text("热线暂时无法接听")).to_be_visible()
    await expect(page.get_by_role("link", name="12333")).to_be_visible()
    door.supervisorctl("start", "controller")
    await expect(state).to_have_attribute("data-state", "answering", timeout=LOOKS_AGAIN_MS)
