"""An adviser has the machine ask who the caller is: what is heard, and what the adviser learns of it."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import pytest

from calls.facts import AssistedOutcome
from ivr.assisted import show_who_it_is
from ivr.business import Business, Citizen, Identity, NotAvailable
from ivr.lines import load_lines
from prompts.catalogue import CATALOGUE, Catalogue
from tests.fakes.caller import ScriptedCaller

LINE = load_lines(Path(__file__).parents[2] / "lines", Catalogue.load(CATALOGUE).sentences["zh-CN"])["12333"]
NUMBER, PIN, WRONG = "990101195003070017", "246810", "135791"


class Bureau:
    """Knows one PIN."""

    def __init__(self, *, away: bool = False) -> None:
        self.away = away

    async def verify(self, identity: Identity, pin: str) -> Citizen | None:
        if self.away:
            raise NotAvailable("away")
        return "citizen" if pin == PIN else None


@pytest.mark.parametrize(
    ("keys", "outcome", "last"),
    [
        ([*NUMBER, *PIN], "verified", "id.passed"),
        ([*NUMBER, *WRONG, *NUMBER, *PIN], "verified", "id.passed"),
        ([*NUMBER, *WRONG] * 3, "failed", "id.locked"),
        ([*NUMBER, *WRONG], "failed", "id.nothing"),
        ([], "gave_up", "id.nothing"),
    ],
    ids=["right", "right at last", "wrong three times", "wrong, then nothing", "nothing"],
)
async def test_what_comes_of_it(keys: list[str], outcome: AssistedOutcome, last: str) -> None:
    caller = ScriptedCaller(keys)
    window = caller.window(LINE, business=cast(Business, Bureau()))
    assert await show_who_it_is(window) == outcome
    assert (caller.said[0], caller.said[-1]) == ("assist.begin", last)
    assert caller.keyed_in_private >= len(keys)
    assert caller.facts == []
    assert (window.identification.known is not None) == (outcome == "verified")


async def test_who_has_shown_it_need_not_do_so_again() -> None:
    caller = ScriptedCaller([*NUMBER, *PIN])
    window = caller.window(LINE, business=cast(Business, Bureau()))
    await show_who_it_is(window)
    caller.said.clear()
    assert await show_who_it_is(window) == "verified"
    assert caller.said == []


async def test_whose_tries_are_used_up_has_failed_and_is_told_so() -> None:
    caller = ScriptedCaller([*NUMBER, *WRONG] * 3)
    window = caller.window(LINE, business=cast(Business, Bureau()))
    await show_who_it_is(window)
    assert await show_who_it_is(window) == "failed"
    assert caller.said[-2:] == ["assist.begin", "id.locked"]


async def test_a_system_that_is_away_is_no_fault_of_the_caller() -> None:
    caller = ScriptedCaller([*NUMBER, *PIN])
    assert await show_who_it_is(caller.window(LINE, business=cast(Business, Bureau(away=True)))) == "unavailable"
    assert caller.said[-1] == "business.unavailable"
