"""好差评 Ratings on real calls: of an adviser, with a complaint that says whom it is about, and of the machine."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest

from bureau.people import DEMO_PIN, demo
from calls.facts import MachineRated, RatingFollowedUp, RatingKeyed
from tests.asterisk.hotline import Hotline
from tests.eventually import eventually

pytestmark = pytest.mark.asterisk

LINE = "12362"
FIGURES = "SELECT sum(asked)::int, sum(answered)::int FROM satisfaction WHERE rated = $1"


async def figures(hotline: Hotline, rated: str) -> tuple[int, int]:
    [(asked, answered)] = await hotline.sql(FIGURES, rated)
    return asked or 0, answered or 0


async def test_few_points_lead_to_a_complaint_about_that_conversation(hotline: Hotline) -> None:
    asked, answered = await figures(hotline, "adviser")
    async with hotline.adviser("1005", "8061") as seat, hotline.caller("1", line=LINE, rate="2") as caller:
        await caller.connected()
        await seat.hangup()
        await caller.hears("rating.ask", "rating.settled")
        await caller.phone.key("2")
        await caller.hears("rating.settled", "rating.complaint")
        await caller.phone.key("1")
        await caller.hears("rating.complaint", "complaint.ask", "message.tone")
        await asyncio.sleep(1.5)  # the citizen speaks
        await caller.phone.key("#")
        await caller.hears("message.check", "complaint.kept.1", "goodbye")
        end = await caller.over()
    assert end.outcome == "queued"
    assert (await caller.saw(RatingKeyed)).score == 2
    assert (await caller.saw(RatingFollowedUp)).answer == "unsettled"
    visit = f"{caller.call_id}.1"
    rated = "SELECT adviser, service, score, question, answer FROM ratings WHERE visit = $1"
    assert await hotline.sql(rated, visit) == [("8061", None, 2, "rating.settled", "unsettled")]
    assert await figures(hotline, "adviser") == (asked + 1, answered + 1)
    left = "SELECT purpose, about, visit, adviser FROM voice_messages WHERE call_id = $1"
    assert await hotline.sql(left, caller.call_id) == [("complaint", "rating", visit, "8061")]
    await eventually(lambda: _sealed(hotline, f"{caller.call_id}.m1"))


async def _sealed(hotline: Hotline, message: str) -> bool:
    return len(await hotline.sql("SELECT path FROM recordings WHERE visit = $1", message)) > 0


async def test_whoever_was_served_by_the_machine_and_goes_is_asked_too(hotline: Hotline) -> None:
    asked, answered = await figures(hotline, "machine")
    retired, *_ = demo(datetime.now(UTC).date())
    async with hotline.caller("2#", line=LINE, rate="4") as caller:
        await caller.hears("id.ask")
        for digit in retired.id_number:
            await caller.phone.key(digit)
        await caller.hears("pin.ask")
        for digit in DEMO_PIN:
            await caller.phone.key(digit)
        await caller.hears("pension.paid.1", "answer.again")
        await caller.phone.key("#")
        await caller.hears("answer.again", "menu.main", "rating.machine", "rating.settled")
        await caller.phone.key("1")
        await caller.hears("rating.settled", "rating.thanks")
        end = await caller.over()
    assert end.outcome == "machine"
    assert (await caller.saw(MachineRated)).score == 4
    rated = "SELECT adviser, service, score, answer FROM ratings WHERE visit = $1"
    assert await hotline.sql(rated, caller.call_id) == [(None, "pension", 4, "settled")]
    assert await figures(hotline, "machine") == (asked + 1, answered + 1)
