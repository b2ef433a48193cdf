"""An adviser at the page, in a real browser: signs in, takes a seat, and is there until the end of the block."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from itertools import count

from playwright.async_api import Browser, Page, expect

from cti.settings import CHECKOUT
from tests.asterisk.hotline import Hotline
from tests.browser.ear import LISTENS
from tests.browser.way import Way

PICTURES = CHECKOUT / "build/pictures"
OWN = "four words of mine"
_numbers = count(1)


class Desk:
    """One adviser's page. `complaints` is what the browser found wrong."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.complaints: list[str] = []
        page.on("pageerror", lambda error: self.complaints.append(str(error)))

    async def press(self, name: str) -> None:
        """Click the button of that name."""
        await self.page.get_by_role("button", name=name, exact=False).first.click()

    async def says(self, text: str) -> None:
        """Wait until that is to be read."""
        await expect(self.page.get_by_text(text).first).to_be_visible(timeout=15_000)

    async def picture(self, name: str) -> None:
        """For people to look at: build/pictures/<name>.png."""
        await self.page.screenshot(path=PICTURES / f"{name}.png")

    async def answer(self) -> None:
        """The space bar, once it rings."""
        await expect(self.page.get_by_role("button", name="接听")).to_be_visible(timeout=30_000)
        await self.page.keyboard.press("Space")


async def account(hotline: Hotline, adviser: str | None, *roles: str) -> tuple[str, str]:
    """A new account: its name and its first password."""
    name = f"page{next(_numbers)}.{hotline.settings.port_offset}"
    number = ("--adviser", adviser) if adviser else ()
    code, out, err = await hotline.rexian("account", "add", name, *(w for r in roles for w in ("--role", r)), *number)
    assert code == 0, err
    return name, out.strip().rpartition(": ")[2]


@contextlib.asynccontextmanager
async def opened(
    browser: Browser, hotline: Hotline, size: tuple[int, int] = (1366, 768), way: Way | None = None
) -> AsyncIterator[Desk]:
    """A browser of its own at the desk's first page; `way`: what lies between."""
    port = way.port if way else hotline.settings.web_port
    context = await browser.new_context(
        base_url=f"http://{hotline.settings.host}:{port}",
        viewport={"width": size[0], "height": size[1]},
        locale="zh-CN",
        timezone_id="Asia/Shanghai",
    )
    if way:
        await way.leads(context)
    await context.add_init_script(LISTENS)
    page = await context.new_page()
    desk = Desk(page)
    await page.goto("/desk/")
    try:
        yield desk
        assert desk.complaints == []
    finally:
        await context.close()


async def sign_in(desk: Desk, name: str, password: str) -> None:
    """With a first password, and then one's own."""
    page = desk.page
    await page.get_by_label("账号").fill(name)
    await page.get_by_label("密码", exact=True).fill(password)
    await page.get_by_role("button", name="登录").click()
    await page.get_by_label("现在的密码").fill(password)
    await page.get_by_label("新密码").fill(OWN)
    await page.get_by_role("button", name="保存").click()


@contextlib.asynccontextmanager
async def adviser_at(
    browser: Browser,
    hotline: Hotline,
    seat: str,
    adviser: str,
    *,
    roles: tuple[str, ...] = ("adviser",),
    looks: Callable[[Desk, str], Awaitable[None]] | None = None,
    way: Way | None = None,
) -> AsyncIterator[Desk]:
    """Signed in, at the seat, ready; and gone from there at the end. `looks` is shown the pages on the way."""
    name, password = await account(hotline, adviser, *roles)
    async with opened(browser, hotline, way=way) as desk:
        await sign_in(desk, name, password)
        await desk.page.get_by_role("button", name=seat).click()
        if looks:
            await looks(desk, "take-seat")
        await desk.press("开始上班")
        await desk.says("话机正常")
        try:
            await desk.press("就绪")
            await hotline.seat_is(seat, "ready")
            yield desk
        finally:
            code, _, err = await hotline.rexian("account", "change", name, "--role", "lead", "--disabled")
            await hotline.seat_is(seat, "ready", "not_ready", "wrap_up", "logged_out")
            await hotline.log_out(seat)
    assert code == 0, err
