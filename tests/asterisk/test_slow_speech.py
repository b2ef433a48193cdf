"""Slow speech for whoever asks twice, on a real call, and under the controller that comes after this one."""

from __future__ import annotations

import pytest

from calls.facts import MenuStepTaken, SlowSpeechBegun
from tests.asterisk.ears import LONG_S, lasted_s
from tests.asterisk.hotline import Caller, Hotline
from tests.eventually import eventually
from tests.faults import kill, until_working

pytestmark = pytest.mark.asterisk

OTHER = "menu.other"
LONGER = 1.2
"""Slow speech takes a third longer; the ears are not that sharp."""


async def test_whoever_keys_star_twice_hears_it_slowly_for_the_rest_of_the_call(hotline: Hotline) -> None:
    async with hotline.caller("5**-", barge=False) as caller:
        assert (await caller.saw(SlowSpeechBegun)).asked_in == "other"
        await caller.hears(OTHER, OTHER, "slow.begun", OTHER)
        await caller.saw(MenuStepTaken, times=3)
        await eventually(lambda: _was_slow(caller, OTHER, LONG_S[OTHER], times=3))
        await hotline.all_kept()
        kill(hotline, "controller")
        await until_working(hotline)
        await caller.hears("slow.begun", OTHER, "interrupted", OTHER)
        await eventually(lambda: _was_slow(caller, OTHER, LONG_S[OTHER], times=4))
        await caller.leave()
        assert len([fact for fact in caller.facts if isinstance(fact, SlowSpeechBegun)]) == 1


async def _was_slow(caller: Caller, piece: str, usual_s: float, times: int) -> bool:
    lasted = lasted_s(caller.phone.heard(), piece)
    return len(lasted) == times and lasted[-1] > LONGER * usual_s
