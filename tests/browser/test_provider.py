"""Signing in by a provider in a real browser, which has its own mind about whose cookies go where.

The desk and the provider are two sites to it (`127.0.0.1` and `localhost`), as they are in a city.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page

from cti.desk.entrance import SESSION
from cti.desk.provider import BACK, GO
from cti.desk.vouching import DESK, REFUSED
from tests.contract.served_desk import Desk
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


@pytest.fixture
async def desk(tmp_path: Path, idp: Idp) -> AsyncIterator[Desk]:
    desk = Desk(tmp_path, idp.issuer)
    idp.back = desk.url + BACK
    async with desk.served():
        await desk.handed("wang.li", ["adviser"])
        yield desk


@pytest.fixture
async def page(browser: Browser, desk: Desk) -> AsyncIterator[Page]:
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
