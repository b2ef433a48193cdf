"""What a team lead and an adviser do to calls on the floor: a caller is pulled, a call is marked as a crisis."""

from __future__ import annotations

import pytest

from calls.clock import SystemClock
from calls.errors import NotPossible
from calls.facts import CrisisMarked, QueueEntered, QueueLeft, SeatAnswered, SeatDidNotAnswer, SeatOffered
from cti.whowaits import who_waits
from tests.contract.hotline_on_fake import CALLING, OTHER_ADVISER, OTHER_SEAT, SEAT, Calls, Site
from tests.contract.steps import talking, waiting
from tests.eventually import eventually


async def test_a_pulled_caller_rings_at_a_seat_that_pauses_and_the_pause_goes_on(calls: Calls) -> None:
    caller = await waiting(calls)
    visit = f"{caller}.1"
    calls.node.pull(SEAT, visit)
    offered = await calls.told(SeatOffered)
    assert (offered.visit, offered.seat, offered.why) == (visit, SEAT, "pulled")
    await calls.told(SeatAnswered)
    calls.fake.hangup(caller)
    await calls.ended()
    seat = calls.floor.engine.seat(SEAT)
    assert (seat.state, seat.afterwards) == ("wrap_up", "break")


async def test_a_pulled_caller_whom_nobody_answers_waits_on_and_is_had_by_somebody_else(calls: Calls) -> None:
    caller = await waiting(calls)
    calls.fake.phones[f"PJSIP/seat{SEAT}"] = "rings"
    calls.node.pull(SEAT, f"{caller}.1")
    await eventually(lambda: any(leg.endpoint.endswith(SEAT) for leg in calls.fake.legs.values()))
    calls.fake.no_answer(calls.leg())
    await calls.told(SeatDidNotAnswer)
    await eventually(lambda: calls.floor.engine.position(f"{caller}.1") == 1)
    calls.sit(OTHER_SEAT, OTHER_ADVISER)
    assert (await calls.told(SeatAnswered)).seat == OTHER_SEAT
    calls.fake.hangup(caller)
    await calls.ended()
    assert [left.outcome for left in calls.of(QueueLeft)] == ["answered"]


async def test_who_waits_is_told_with_four_digits_of_the_number(calls: Calls) -> None:
    caller = await waiting(calls)
    sessions = calls.node.sessions
    (told,) = who_waits(calls.floor.engine, SystemClock(), lambda call: sessions[call].kept).waiting
    assert (told.visit, told.queue, told.position, told.away, told.seat) == (f"{caller}.1", "cards", 1, False, None)
    assert told.ends_in == CALLING[-4:]
    calls.fake.hangup(caller)
    await calls.ended()
    assert who_waits(calls.floor.engine, SystemClock(), lambda call: None).waiting == ()


async def test_a_crisis_is_told_once_and_the_numbers_next_call_is_urgent(site: Site) -> None:
    async with site.controller() as calls:
        with pytest.raises(NotPossible, match="nobody is talking at seat"):
            calls.node.mark_crisis(SEAT)
        caller = await talking(calls)
        calls.node.mark_crisis(SEAT)
        calls.node.mark_crisis(SEAT)
        marked = calls.node.sessions[caller].kept.crisis_at
        assert marked is not None
        calls.fake.hangup(caller)
        await calls.ended()
        assert [fact.seat for fact in calls.of(CrisisMarked)] == [SEAT]
        calls.pause()
    async with site.controller() as calls:
        again = await waiting(calls)
        assert calls.node.sessions[again].kept.crisis_before == marked
        assert [fact.urgency for fact in calls.of(QueueEntered)] == ["urgent"]
        calls.fake.hangup(again)
        await calls.nothing_left()
