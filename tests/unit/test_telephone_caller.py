"""A caller on a telephone line, as far as no Asterisk is needed for it: their keys."""

from __future__ import annotations

from typing import Any, cast

import pytest

from calls.clock import SystemClock
from cti.asterisk.caller import TelephoneCaller
from cti.asterisk.client import Ari
from cti.asterisk.router import Router
from cti.watch import Watch
from prompts import Sounds


async def _safe() -> bool:
    return True


@pytest.fixture
def caller() -> TelephoneCaller:
    """On a line that nothing is said on."""
    nothing = cast(Any, None)
    return TelephoneCaller(
        "call-1",
        cast(Ari, nothing),
        cast(Router, nothing),
        cast(Sounds, nothing),
        SystemClock(),
        cast(Watch, nothing),
        lambda fact: None,
        _safe,
    )


async def test_keys_wait_in_order_and_what_no_telephone_has_is_none(caller: TelephoneCaller) -> None:
    for key in "1A2D*#B":
        caller.press(key)
    assert [await caller.key(0.01) for _ in range(5)] == ["1", "2", "*", "#", None]


async def test_what_was_keyed_in_private_is_forgotten_with_it_also_within_itself(caller: TelephoneCaller) -> None:
    caller.press("7")
    async with caller.private():
        assert await caller.key(0) is None
        caller.press("1")
        async with caller.private():
            assert await caller.key(0) is None
            caller.press("2")
        caller.press("3")
    assert await caller.key(0) is None
