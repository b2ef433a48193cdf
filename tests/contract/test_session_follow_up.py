"""An adviser calls whom they promised it, on the fake Asterisk: by their own seat alone, and until the citizen is reached."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from calls.errors import NotPossible
from calls.facts import (
    AdviserNumberSaid,
    CallbackBegun,
    CallbackEnded,
    CallbackOwed,
    CallbackTried,
    CallEnded,
    ConversationEnded,
    FollowUpDone,
    SeatAnswered,
    SeatDidNotAnswer,
    SeatOffered,
)
from cti.followups import FollowUp
from cti.forms import Draft
from tests.contract.hotline_on_fake import (
    ADVISER,
    OTHER_ADVISER,
    OTHER_SEAT,
    SEAT,
    Calls,
    Site,
    calls,
    site,
    sounds,
)
from tests.contract.steps import talking
from tests.contract.test_session_callback import CITIZEN, asks, calls_back, promises
from tests.eventually import eventually

__all__ = ["calls", "site", "sounds"]

ABOUT = ("社会保障卡", "社会保障卡激活")


@pytest.fixture
async def calling(site: Site) -> AsyncIterator[Calls]:
    calls_back(site)
    async with site.controller() as calls:
        yield calls


async def promised(calls: Calls) -> FollowUp:
    """In a conversation, which is over, its adviser has promised a call, and takes no calls now."""
    with calls.feed.opened(ADVISER):
        caller = await talking(calls)
    visit = calls.of(SeatAnswered)[-1].visit
    calls.fake.hangup(caller)
    await calls.told(CallEnded)
    await calls.nothing_left()
    due = datetime.now(UTC) + timedelta(days=1)
    calls.forms.save(visit, ADVISER, Draft(*ABOUT, "to_call_back", due_at=due))
    calls.pause()
    [owed] = calls.follow_ups.of(ADVISER)
    return owed


def theirs(calls: Calls, owed: FollowUp) -> list[FollowUp]:
    return calls.follow_ups.of(owed.adviser or "")


async def test_the_citizen_is_reached_and_what_was_promised_is_done_with_the_form(calling: Calls) -> None:
    owed = await promised(calling)
    with calling.feed.opened(ADVISER):
        calling.node.dial(SEAT, owed)
        await calling.told(AdviserNumberSaid, 2)
    begun, [tried] = calling.of(CallbackBegun)[0], calling.of(CallbackTried)
    assert [(fact.call_id, fact.why, fact.promised) for fact in calling.of(CallbackOwed)] == [
        (owed.call_id, "follow_up", False)
    ]
    assert (begun.callback_of, begun.calling_number) == (owed.call_id, owed.number)
    assert (tried.seat, tried.adviser, tried.reached) == (SEAT, ADVISER, True)
    assert [(end.call_id, end.outcome, end.attempts) for end in calling.of(CallbackEnded)] == [
        (owed.call_id, "kept", 1)
    ]
    calling.fake.hangup(begun.call_id)
    await calling.told(ConversationEnded, 2)
    await calling.nothing_left()
    assert theirs(calling, owed) == [owed], "until it is written down"
    calling.forms.save(f"{begun.call_id}.1", ADVISER, Draft(*ABOUT, "answered"))
    assert theirs(calling, owed) == []
    assert calling.of(FollowUpDone) == [
        FollowUpDone(call_id=owed.call_id, visit=owed.id, adviser=ADVISER, by_call=begun.call_id)
    ]
    assert [end.outcome for end in calling.of(CallEnded)] == ["queued", "called_back"]


async def test_whoever_is_not_reached_is_called_again_when_the_adviser_wishes_and_by_nobody_else(
    calling: Calls,
) -> None:
    owed = await promised(calling)
    calling.sit(OTHER_SEAT, OTHER_ADVISER)
    for times in (1, 2):
        calling.fake.phones[CITIZEN] = "busy"
        calling.node.dial(SEAT, owed)
        await calling.told(CallbackEnded, times)
        await calling.nothing_left()
    assert [(tried.adviser, tried.reason) for tried in calling.of(CallbackTried)] == [(ADVISER, "busy")] * 2
    assert [end.outcome for end in calling.of(CallbackEnded)] == ["not_reached"] * 2
    assert len(calling.of(CallbackBegun)) == 2
    assert theirs(calling, owed) == [owed]
    assert promises(calling) == []


async def test_an_adviser_whose_telephone_is_not_answered_is_replaced_by_nobody(calling: Calls) -> None:
    owed = await promised(calling)
    calling.sit(OTHER_SEAT, OTHER_ADVISER)
    calling.fake.phones[f"PJSIP/seat{SEAT}"] = "busy"
    before = len(calling.of(SeatOffered))
    calling.node.dial(SEAT, owed)
    await calling.told(SeatDidNotAnswer)
    await calling.told(CallbackEnded)
    await calling.nothing_left()
    assert [offered.seat for offered in calling.of(SeatOffered)[before:]] == [SEAT]
    assert [(end.outcome, end.attempts) for end in calling.of(CallbackEnded)] == [("not_reached", 0)]
    assert calling.of(CallbackTried) == []
    assert theirs(calling, owed) == [owed]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"number": None}, "nobody can be rung"),
        ({"number": "+12025550123"}, "nobody can be rung"),
        ({"line": "12399"}, "line 12399 calls nobody back"),
    ],
)
async def test_what_cannot_be_dialled_is_said(calling: Calls, changes: dict[str, object], reason: str) -> None:
    owed = msgspec.structs.replace(await promised(calling), **changes)
    with pytest.raises(NotPossible, match=reason):
        calling.node.dial(SEAT, owed)
    assert calling.of(CallbackOwed) == []


async def test_a_citizen_who_is_on_the_line_is_not_dialled_and_a_seat_that_talks_dials_nobody(calling: Calls) -> None:
    owed = await promised(calling)
    calling.sit()
    other = calling.dial()  # the same citizen
    await calling.until(lambda: calling.watch.asked.count("main") == 2)
    calling.fake.dtmf(other, "1")
    await calling.told(AdviserNumberSaid, 2)
    with pytest.raises(NotPossible, match="talking: wait for the end of the call"):
        calling.node.dial(SEAT, owed)
    calling.sit(OTHER_SEAT, OTHER_ADVISER)
    with pytest.raises(NotPossible, match="on the line, or is being rung"):
        calling.node.dial(OTHER_SEAT, owed)
    calling.fake.hangup(other)
    await calling.told(CallEnded, 2)


async def test_one_call_at_a_time_for_what_is_owed(calling: Calls) -> None:
    owed = await promised(calling)
    calling.node.dial(SEAT, owed)
    with pytest.raises(NotPossible, match="on the line, or is being rung"):
        calling.node.dial(SEAT, owed)
    await calling.told(AdviserNumberSaid, 2)


@pytest.mark.parametrize("reached", [True, False])
async def test_whom_the_queue_owes_a_call_for_the_same_is_called_once(calling: Calls, reached: bool) -> None:
    owed = await promised(calling)
    caller = await asks(calling)
    await calling.told(CallbackBegun)
    calling.fake.phones[CITIZEN] = "answers" if reached else "busy"
    calling.node.dial(SEAT, owed)
    if reached:
        await calling.told(AdviserNumberSaid, 2)
        ends = {(end.call_id, end.outcome) for end in calling.of(CallbackEnded)}
        assert ends == {(owed.call_id, "kept"), (caller, "rang_again")}
        assert promises(calling) == []
    else:
        await calling.told(CallbackBegun, 3)  # the queue's turn goes on
        assert [(end.call_id, end.outcome) for end in calling.of(CallbackEnded)] == [(owed.call_id, "not_reached")]
        assert [promise.call_id for promise in promises(calling)] == [caller]


async def while_the_seat_rings(calls: Calls) -> None:
    calls.fake.phones[f"PJSIP/seat{SEAT}"] = "rings"
    calls.node.dial(SEAT, calls.follow_ups.of(ADVISER)[0])
    await eventually(lambda: any(leg.endpoint.endswith(SEAT) for leg in calls.fake.legs.values()))


async def while_the_citizen_is_rung(calls: Calls) -> None:
    calls.fake.phones[CITIZEN] = "rings"
    calls.node.dial(SEAT, calls.follow_ups.of(ADVISER)[0])
    await eventually(lambda: any(leg.endpoint == CITIZEN for leg in calls.fake.legs.values()))


@pytest.mark.parametrize("come", [while_the_seat_rings, while_the_citizen_is_rung])
async def test_what_a_dead_controller_was_calling_for_is_owed_still(
    site: Site, come: Callable[[Calls], Awaitable[None]]
) -> None:
    calls_back(site)
    async with site.controller() as first:
        owed = await promised(first)
        await come(first)
    site.fake.phones[f"PJSIP/seat{SEAT}"] = "busy"  # it may be rung once more
    async with site.controller() as calls:
        await calls.nothing_left()
        assert theirs(calls, owed) == [owed]
        await calls.journal.flush()
        history = [stamped.fact for stamped in await calls.journal.read_after(0)]
        assert [fact.outcome for fact in history if isinstance(fact, CallbackEnded)] == ["not_reached"]
        assert len([fact for fact in history if isinstance(fact, CallbackBegun)]) == 1
        site.fake.phones.update({CITIZEN: "answers", f"PJSIP/seat{SEAT}": "answers"})
        calls.sit()
        calls.node.dial(SEAT, owed)
        await calls.told(AdviserNumberSaid)


@pytest.mark.parametrize("come", [while_the_seat_rings, while_the_citizen_is_rung])
async def test_an_asterisk_that_dies_meanwhile_leaves_it_to_the_adviser(
    calling: Calls, come: Callable[[Calls], Awaitable[None]]
) -> None:
    owed = await promised(calling)
    await come(calling)
    await calling.fake.die()
    await calling.told(CallbackEnded)
    await calling.nothing_left()
    assert [end.outcome for end in calling.of(CallbackEnded)] == ["not_reached"]
    assert [fact.why for fact in calling.of(CallbackOwed)] == ["follow_up"]
    assert promises(calling) == []
    assert theirs(calling, owed) == [owed]
