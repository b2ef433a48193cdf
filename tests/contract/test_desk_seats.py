"""Seats over HTTP: an adviser's own, a lead's all."""

from __future__ import annotations

from typing import Any

import pytest

from calls.facts import Audited, LeadHow
from cti.control import (
    LeadJoin,
    LeadLeave,
    SeatLogOut,
    SeatMoreTime,
    SeatMove,
    SeatNotReady,
    SeatReady,
    SeatRedial,
    SeatVerify,
)
from tests.contract.served_desk import OWN, Desk


async def test_an_adviser_acts_at_the_seat_where_they_sit_and_at_no_other(desk: Desk) -> None:
    await desk.account("wang.li", "adviser")
    desk.house.sitting["1002"] = "8002"
    async with desk.posting("wang.li") as post:
        assert await post("1001/not-ready", {"reason": "lunch"}) == 403, "nobody sits there"
        assert await post("1001/ready") == 200
        assert await post("1001/not-ready", {"reason": "午休"}) == 200
        for wish in ("more-time", "redial", "verify", "move", "log-out"):
            assert await post(f"1001/{wish}") == 200
        for wish in ("ready", "not-ready", "more-time", "redial", "verify", "move", "page", "log-out"):
            assert await post(f"1002/{wish}", {"reason": "lunch"}) == 403
        assert await post("1003/ready") == 409
    assert desk.house.asked == [
        SeatReady("1001", "8001"),
        SeatNotReady("1001", "午休"),
        SeatMoreTime("1001"),
        SeatRedial("1001"),
        SeatVerify("1001"),
        SeatMove("1001"),
        SeatLogOut("1001"),
    ]


async def test_an_advisers_page_is_the_telephone_of_a_free_seat_and_of_their_own(desk: Desk) -> None:
    await desk.account("wang.li", "adviser")
    desk.house.sitting["1002"] = "8002"
    async with desk.posting("wang.li") as post:
        assert await post("1001/page") == 200
        desk.house.sitting["1001"] = "8001"
        assert await post("1001/page") == 200
        assert await post("1002/page") == 403, "somebody else sits there"
        assert await post("1003/page") == 409, "there is no such seat"
    assert desk.house.opened == [("1001", "8001")] * 2


async def test_a_lead_acts_at_every_seat_and_the_log_tells(desk: Desk) -> None:
    await desk.account("li.na", "lead")
    desk.house.sitting["1002"] = "8002"
    async with desk.posting("li.na") as post:
        assert await post("1002/not-ready", {"reason": "meeting"}) == 200
        assert await post("1002/ready") == 200
        assert await post("1002/log-out") == 200
    assert desk.house.asked == [SeatNotReady("1002", "meeting"), SeatReady("1002"), SeatLogOut("1002")]
    told = [
        (fact.account, fact.about) for fact in desk.facts if isinstance(fact, Audited) and fact.did == "seat_changed"
    ]
    assert told == [("li.na", f"1002 8002 {wish}") for wish in ("seat_not_ready", "seat_ready", "seat_log_out")]


async def test_a_lead_who_takes_calls_too_acts_for_nobody_towards_citizens(desk: Desk) -> None:
    password, _ = await desk.handed("li.na", ["adviser", "lead"])
    assert await desk.doors.accounts.choose("li.na", password, OWN, "10.0.0.7")
    desk.house.sitting["1002"] = "8002"
    async with desk.posting("li.na") as post:
        assert await post("1001/ready") == 200
        assert await post("1001/redial") == 200
        assert await post("1002/ready") == 200
        assert await post("1002/redial") == 403
        assert await post("1002/verify") == 403
    assert desk.house.asked == [SeatReady("1001", "8001"), SeatRedial("1001"), SeatReady("1002")]


async def test_a_lead_is_at_a_conversation_by_a_telephone_where_nobody_sits_and_the_log_tells_before(
    desk: Desk,
) -> None:
    await desk.account("li.na", "lead")
    await desk.account("wang.li", "adviser")
    desk.house.sitting["1002"] = "8002"
    async with desk.posting("li.na") as post, desk.posting("wang.li") as by_adviser:
        for how in ("listen", "whisper", "barge"):
            assert await post(f"1002/{how}", {"from": "1001"}) == 200
            assert await by_adviser(f"1002/{how}", {"from": "1001"}) == 403
        assert await post("1002/leave") == 200
        assert await by_adviser("1002/leave") == 403
        assert await post("1001/page") == 200
        assert await post("1001/listen", {"from": "1002"}) == 403, "somebody else sits there"
        assert await post("1002/page") == 403, "somebody else sits there"
        assert await post("1002/listen", {"from": "1003"}) == 409, "there is no such seat"
        for body in ({}, {"from": ""}, {"from": 1001}, {"from": "1001", "how": "barge"}, {"seat": "1001"}):
            assert await post("1002/listen", body) == 400
    ways: tuple[LeadHow, ...] = ("listen", "whisper", "barge")
    assert desk.house.asked == [*(LeadJoin("1002", "1001", how) for how in ways), LeadLeave("1002")]
    assert desk.house.opened == [("1001", "li.na")]
    told = [fact.about for fact in desk.facts if isinstance(fact, Audited) and fact.did == "conversation_joined"]
    assert told == [*(f"1002 8002 {how} from 1001" for how in ways), "1002 8002 leave"]


@pytest.mark.parametrize(
    "body", [{}, {"reason": ""}, {"reason": "x" * 61}, {"reason": 1}, {"reason": "x", "seat": "1"}]
)
async def test_a_reason_that_is_none_is_told_of(desk: Desk, body: dict[str, Any]) -> None:
    await desk.account("li.na", "lead")
    async with desk.posting("li.na") as post:
        assert await post("1001/not-ready", body) == 400
    assert desk.house.asked == []
