"""Whoever rings again has the same adviser, where free, and waits for nobody."""

from __future__ import annotations

import pytest

from calls.facts import SeatOffered
from tests.asterisk.hotline import Hotline

pytestmark = pytest.mark.asterisk

KNOWN = "13700000002"


async def test_who_rings_again_has_the_same_adviser_where_free(hotline: Hotline) -> None:
    async with hotline.adviser("1004", "8008") as first, hotline.caller("4", number=KNOWN) as caller:
        assert (await caller.connected()).adviser == "8008"
        async with hotline.adviser("1005", "8009"):
            await first.hangup()
            await caller.leave()
            await hotline.seat_is("1004", "ready")
            async with hotline.caller("4", number=KNOWN) as again:
                assert (await again.connected()).adviser == "8008"
                offered = await again.saw(SeatOffered)
                assert offered.chosen
                assert offered.chosen.preferred
                async with hotline.caller("4", number=KNOWN) as third:  # the same number, and its adviser is busy
                    assert (await third.connected()).adviser == "8009"
                    await third.leave()
                await again.leave()
