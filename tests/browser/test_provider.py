"""Signing in by a provider in a real browser, which has its own mind about whose cookies go where.

The desk and the provider are two sites to it (`127.0.0.1` and `localhost`), as they are in a city.
"""

from __future__ import annotations

import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import aiohttp
import pytest
from playwright.async_api import Browser, Page, expect

from cti.desk.entrance import SESSION
from cti.desk.provider import BACK, GO
from cti.desk.vouching import DESK, REFUSED, WAYS
from cti.secrets import Secrets
from cti.settings import Settings
from cti.stack import files
from cti.stack.programs import installed
from tests.browser.conftest import PORT_OFFSET
from tests.contract.served_desk import Desk
from tests.eventually import eventually
from tests.oidc import Idp
from tests.texting import free_port

WHOAMI = f"""async () => {{
    const answer = await fetch("{SESSION}");
    return answer.ok ? (await answer.json()).account : answer.status;
}}"""


@pytest.fixture
async def idp() -> AsyncIterator[Idp]:
    idp = Idp(free_port(), "localhost")
    async with idp.served():
        yield idp


@contextmanager
def door(settings: Settings) -> Iterator[None]:
    """nginx, as the hotline has it, with the pages."""
    files.render(settings, Secrets())
    conf = settings.etc_dir / "nginx.conf"
    command = [installed("nginx"), "-e", "stderr", "-p", str(settings.state_dir), "-c", str(conf)]
    with (
        (settings.log_dir / "nginx.log").open("wb") as log,
        subprocess.Popen(command, stdout=log, stderr=log) as nginx,
    ):
        try:
            yield
        finally:
            nginx.terminate()


@pytest.fixture
async def desk(tmp_path: Path, idp: Idp) -> AsyncIterator[Desk]:
    """The desk behind its door, and somebody whom the provider knows."""
    settings = Settings(state_dir=tmp_path / "var", port_offset=PORT_OFFSET + 70)
    desk = Desk(tmp_path, idp.issuer, ports=(settings.api_port, settings.web_port))
    idp.back = desk.url + BACK
    with door(settings):
        async with desk.served():
            await desk.handed("wang.li", ["adviser"])
            await eventually(lambda: answers(desk))
            yield desk


async def answers(desk: Desk) -> bool:
    async with desk.browser() as browser:
        try:
            return (await browser.get(WAYS)).status == 200
        except aiohttp.ClientConnectorError:
            return False


@pytest.fixture
async def page(browser: Browser, desk: Desk) -> AsyncIterator[Page]:
    """A browser of somebody who has never been there."""
    context = await browser.new_context(base_url=desk.url)
    yield await context.new_page()
    await context.close()


async def follows(page: Page, address: str) -> None:
    """A person clicks on a link to it, on the page that is open."""
    await page.evaluate(
        """(address) => {
            const link = document.createElement("a");
            link.href = address;
            document.body.append(link);
            link.click();
        }""",
        address,
    )


async def test_a_person_goes_to_the_provider_and_comes_back_signed_in(page: Page, desk: Desk) -> None:
    await page.goto("/api/health")
    await follows(page, GO)
    await page.wait_for_url(f"**{DESK}")
    assert await page.evaluate(WHOAMI) == "wang.li"
    assert await page.evaluate("document.cookie") == "", "no script reads it"


async def test_the_page_offers_it_and_says_why_nobody_came_in(page: Page, desk: Desk, idp: Idp) -> None:
    there = page.get_by_role("link", name="用单位的统一登录")
    idp.refuses = "access_denied"
    await page.goto(DESK)
    await there.click()
    await expect(page.get_by_role("alert")).to_contain_text("从统一登录没有进来")
    await expect(page).to_have_url(desk.url + DESK)
    idp.refuses = None
    await desk.doors.accounts.help("wang.li", second_factor=True, by="admin")
    await there.click()
    await expect(page.get_by_role("alert")).to_contain_text("您的账号要有第二因素")
    idp.person["amr"] = ["mfa"]
    await there.click()
    await expect(page.get_by_text("工号 8001")).to_be_visible()


async def test_another_site_has_nobody_come_back_who_had_not_gone(page: Page, desk: Desk, idp: Idp) -> None:
    await page.goto(idp.issuer + "/keys")
    await follows(page, f"{desk.url}{BACK}?state=x&code=y")
    await page.wait_for_url(f"**{REFUSED}")
    assert await page.evaluate(WHOAMI) == 401


async def test_a_session_is_not_shown_to_the_desk_for_another_site(page: Page, desk: Desk, idp: Idp) -> None:
    await page.goto("/api/health")
    await follows(page, GO)
    await page.wait_for_url(f"**{DESK}")
    await page.goto(idp.issuer + "/keys")
    await follows(page, desk.url + SESSION)
    await page.wait_for_url(f"**{SESSION}")
    assert "sign in first" in await page.content()
