"""A browser, and a hotline behind the pages: the one that all whole-hotline tests call, or one to stop and start."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import soundfile  # type: ignore[import-untyped]  # it ships no types
from playwright.async_api import Browser, async_playwright

from cti.phone.places import RATE_HZ
from tests.asterisk.phones import SEAT_HZ
from tests.asterisk.test_lead import LEAD_HZ
from tests.browser.ear import speech
from tests.deployment import Deployment, deployed

ELSEWHERE = "desk.city.example"
"""The web door under a name that no browser takes for this machine's own."""
CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = (
    "--no-sandbox",  # tests may run as root
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    f"--host-resolver-rules=MAP {ELSEWHERE} 127.0.0.1",
    "--autoplay-policy=no-user-gesture-required",
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
)
PORT_OFFSET = 18_400


@pytest.fixture(scope="module")
def door() -> Iterator[Deployment]:
    """A hotline for the tests of one file, which may stop its parts and start them again."""
    with deployed(PORT_OFFSET, tls=True) as deployment:
        yield deployment


@pytest.fixture
async def browser(tmp_path: Path) -> AsyncIterator[Browser]:
    """Debian's Chromium, without a window, whose microphone hears an adviser's tone."""
    async with _saying(SEAT_HZ, tmp_path) as browser:
        yield browser


@pytest.fixture
async def colleagues_browser(tmp_path: Path) -> AsyncIterator[Browser]:
    """Another one, whose microphone hears another tone, a lead's."""
    async with _saying(LEAD_HZ, tmp_path) as browser:
        yield browser


@asynccontextmanager
async def _saying(hz: float, folder: Path) -> AsyncIterator[Browser]:
    voice = folder / f"{hz:.0f}.wav"
    soundfile.write(voice, speech(hz), RATE_HZ, subtype="PCM_16")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=CHROMIUM, args=[*ARGUMENTS, f"--use-file-for-fake-audio-capture={voice}"]
        )
        try:
            yield browser
        finally:
            await browser.close()
