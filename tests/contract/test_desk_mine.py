"""What an adviser has beside the call, over HTTP: figures of today, whom to call, who else works here."""

from __future__ import annotations

import pytest

from calls.errors import NotPossible
from calls.facts import Audited, FollowUpDone
from cti.control import SeatDial, SeatReady
from cti.desk.entrance import TOKEN_HEADER
from cti.desk.mine import DIRECTORY, FIGURES, FOLLOW_UPS
from tests.contract.served_desk import Desk
from tests.unit.test_followups import PROMISED, PROMISING


async def test_whom_one_is_to_call_is_told_to_that_adviser_and_the_look_is_written_down_once(desk: Desk) -> None:
    await desk.account("wang.li", "adviser")
    desk.house.follow_ups.wrapped_up(PROMISING, PROMISED)
    cookies, csrf = desk.signed_in("wang.li")
    async with desk.browser(cookies) as browser:
        for _ in range(2):
            [owed] = (await (await browser.get(FOLLOW_UPS)).json())["follow_ups"]
            assert (owed["id"], owed["number"], owed["note"]) == ("c0.1", "+8613800001111", "查到再告诉他")
        looks = [fact.about for fact in desk.facts if isinstance(fact, Audited) and fact.did == "caller_shown"]
        assert looks == ["c0"]
        header = {TOKEN_HEADER: csrf}
        assert (await browser.post(f"{FOLLOW_UPS}/c0.1/done")).status == 403
        assert (await browser.post(f"{FOLLOW_UPS}/c0.1/done", headers=header)).status == 204
        again = await browser.post(f"{FOLLOW_UPS}/c0.1/done", headers=header)
        assert again.status == 409
        assert "Mend" in (await again.json())["detail"]
        assert (await (await browser.get(FOLLOW_UPS)).json())["follow_ups"] == []
    assert FollowUpDone(call_id="c0", visit="c0.1", adviser="8001", by_call=None) in desk.facts


async def test_one_dials_from_ones_own_seat_what_one_owes_never_a_number(desk: Desk) -> None:
    await desk.account("wang.li", "adviser")
    desk.house.sitting["1002"] = "8002"
    async with desk.posting("wang.li") as post:
        assert await post("1001/ready") == 200
        assert await post("1001/dial", {"follow_up": "c0.1"}) == 200
        assert await post("1002/dial", {"follow_up": "c0.1"}) == 403
        for body in ({}, {"follow_up": ""}, {"number": "13800001111"}, {"follow_up": "c0.1", "number": "1"}):
            assert await post("1001/dial", body) == 400
    assert desk.house.asked == [SeatReady("1001", "8001"), SeatDial("1001", "c0.1")]


@pytest.mark.parametrize(
    ("trouble", "why"), [(NotPossible("it is away"), "database_away"), (TimeoutError(), "database_slow")]
)
async def test_figures_are_ones_own_and_a_database_that_is_away_is_told(
    desk: Desk, trouble: Exception, why: str
) -> None:
    await desk.account("wang.li", "adviser")
    cookies, _ = desk.signed_in("wang.li")
    async with desk.browser(cookies) as browser:
        told = await (await browser.get(FIGURES)).json()
        assert (told["figures"]["conversations"], told["why_no_figures"], told["behind"]) == (4, "", 3)
        assert desk.house.shifts_asked == ["8001"]
        desk.house.trouble = trouble
        answer = await browser.get(FIGURES)
        assert (answer.status, await answer.json()) == (200, {"figures": None, "why_no_figures": why, "behind": 3})


async def test_the_directory_has_every_adviser_with_the_name_of_their_account_if_any(desk: Desk) -> None:
    await desk.account("wang.li", "adviser")
    await desk.account("li.na", "lead")
    for who in ("wang.li", "li.na"):
        cookies, _ = desk.signed_in(who)
        async with desk.browser(cookies) as browser:
            colleagues = (await (await browser.get(DIRECTORY)).json())["colleagues"]
        assert colleagues == [
            {"adviser": "8001", "name": "wang.li", "site": "杭州", "skills": {"cards": 2}, "languages": []},
            {
                "adviser": "8002",
                "name": None,
                "site": "宁波",
                "skills": {"cards": 5, "pension": 3},
                "languages": ["yue"],
            },
        ]
