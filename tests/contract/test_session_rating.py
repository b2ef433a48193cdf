"""After a conversation, on the fake Asterisk: what follows few points, and that a complaint never leads to whom it is about."""

from __future__ import annotations

import msgspec
import pytest

from calls.facts import CallEnded, QueueEntered, QueueLeft, RatingFollowedUp, RatingKeyed
from calls.moments import RATING_MENU
from ivr.line import Rating, Second
from tests.contract.hotline_on_fake import ADVISER, CALLING, LINE, Calls, Site
from tests.contract.steps import said_last, step, talking
from tests.eventually import eventually

SECOND = Second("rating.settled", {"1": "settled", "2": "unsettled"})


@pytest.fixture
async def asking(site: Site) -> Site:
    """A line that asks all that can be asked."""
    site.line = msgspec.structs.replace(LINE, rating=Rating(second=SECOND, complain_at=2))
    return site


async def rated(calls: Calls, points: str) -> str:
    """A caller at the second question."""
    caller = await talking(calls)
    calls.fake.hangup(calls.leg())
    await calls.until(lambda: RATING_MENU in calls.watch.asked)
    calls.fake.dtmf(caller, points)
    await calls.told(RatingKeyed)
    await eventually(lambda: said_last(calls, "rating.settled") and not calls.fake.legs[caller].playing)
    return caller


async def test_the_points_are_told_before_the_second_question_is_answered(asking: Site) -> None:
    async with asking.controller() as calls:
        caller = await rated(calls, "5")
        assert calls.of(RatingFollowedUp) == []
        calls.fake.dtmf(caller, "1")
        assert (await calls.told(RatingFollowedUp)).answer == "settled"
        await eventually(lambda: step(calls, caller) == "closing")
        calls.fake.hangup(caller)
        assert (await calls.ended()).outcome == "queued"


async def test_from_a_complaint_another_person_is_reached(asking: Site) -> None:
    async with asking.controller() as calls:
        caller = await rated(calls, "1")
        assert calls.node.advisers.get(f"+86{CALLING}") == ADVISER
        calls.fake.dtmf(caller, "2")
        await eventually(lambda: said_last(calls, "rating.complaint"))
        calls.fake.dtmf(caller, "0")
        again = await calls.told(QueueEntered, 2)
        assert (again.queue, again.preferred, again.returned) == ("general", None, False)
        calls.fake.hangup(caller)
        end = await calls.told(CallEnded)
        await calls.nothing_left()

        assert end.outcome == "queued"
        assert len(calls.of(QueueLeft)) == 2


async def test_a_controller_that_dies_at_the_second_question_loses_no_points(asking: Site) -> None:
    async with asking.controller() as calls:
        caller = await rated(calls, "2")
    async with asking.controller() as calls:
        await eventually(lambda: said_last(calls, "goodbye"))
        calls.fake.hangup(caller)
        await calls.told(CallEnded)
        history = [stamped.fact for stamped in await calls.journal.read_after(0)]
        assert [fact.score for fact in history if isinstance(fact, RatingKeyed)] == [2]
