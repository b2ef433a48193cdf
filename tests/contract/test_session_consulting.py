"""An adviser asks somebody else about the call, on the fake Asterisk: who is with whom, whose seat is free, what is told."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence

import msgspec
import pytest

from calls.errors import NotPossible
from calls.facts import (
    AdviserNumberSaid,
    CallEnded,
    ConsultationBegun,
    ConsultationEnded,
    ConversationEnded,
    NoticeHeard,
    QueueEntered,
    SeatAnswered,
)
from cti.asterisk.errors import Unavailable
from cti.asterisk.kept import Step
from cti.asterisk.lead import Lead
from cti.recorder import Recorder
from cti.settings import Outside, Settings, Trunk
from tests.contract.hotline_on_fake import OTHER_ADVISER, OTHER_SEAT, PHONE_GONE, SEAT, Calls, Site
from tests.contract.steps import hearing_the_number, said_last, step, talking
from tests.eventually import eventually
from tests.fakes.ari import Phone

CITY = "市民热线"


@pytest.fixture
async def calls(site: Site) -> AsyncIterator[Calls]:
    site.settings = _with_outside(site)
    async with site.controller() as calls:
        yield calls


def _with_outside(site: Site) -> Settings:
    trunk = Trunk("city", match=("10.0.0.1",), dial="10.0.0.1")
    return msgspec.structs.replace(site.settings, trunks=(trunk,), outside=(Outside(CITY, "12345"),))


async def asking(calls: Calls, phone: Phone = "answers") -> str:
    """Adviser and caller talk; the other adviser is there, and is asked."""
    caller = await talking(calls)
    calls.sit(OTHER_SEAT, OTHER_ADVISER, phone)
    calls.node.consult(SEAT, OTHER_ADVISER, None)
    await calls.told(ConsultationBegun)
    return caller


def other_leg(calls: Calls) -> str:
    """The channel of the adviser who is asked; empty: not rung yet."""
    return next((name for name, leg in calls.fake.legs.items() if leg.endpoint.endswith(OTHER_SEAT)), "")


def outside_leg(calls: Calls) -> str:
    """The channel of whoever is outside; empty: not rung yet."""
    return next((name for name, leg in calls.fake.legs.items() if "12345" in leg.endpoint), "")


def together(calls: Calls, *channels: str) -> bool:
    """Whether these, and nobody else, are in a bridge."""
    return any(set(bridge.channels) == set(channels) for bridge in calls.fake.bridges.values())


async def consulting(calls: Calls) -> str:
    """The two advisers speak, the caller hears music."""
    caller = await asking(calls)
    await eventually(lambda: together(calls, calls.leg(), other_leg(calls)))
    assert calls.fake.legs[caller].music
    assert calls.floor.engine.seat(SEAT).state == "holding"
    assert calls.floor.engine.seat(OTHER_SEAT).state == "talking"
    return caller


async def test_whoever_is_asked_is_let_go_of_and_the_caller_taken_back(calls: Calls) -> None:
    caller = await consulting(calls)
    with pytest.raises(NotPossible, match="somebody is being asked"):
        calls.node.consult(SEAT, OTHER_ADVISER, None)
    with pytest.raises(NotPossible, match="somebody is being asked"):
        calls.node.verify(SEAT)
    calls.node.asking(SEAT).be("back")
    ended = await calls.told(ConsultationEnded)
    assert (ended.outcome, ended.asked_adviser, ended.together_ms) == ("taken_back", OTHER_ADVISER, 0)
    await eventually(lambda: together(calls, calls.leg(), caller))
    assert not calls.fake.legs[caller].music
    assert calls.floor.engine.seat(SEAT).state == "talking"
    assert calls.floor.engine.seat(OTHER_SEAT).visit is None
    calls.fake.hangup(calls.leg())
    over = await calls.told(ConversationEnded)
    assert over.held_ms > 0
    calls.fake.hangup(caller)
    await calls.ended()


async def test_all_three_hear_each_other_and_whoever_was_asked_leaves_the_two(calls: Calls) -> None:
    caller = await consulting(calls)
    calls.node.asking(SEAT).be("conference")
    other = calls.leg(OTHER_SEAT)
    await eventually(lambda: together(calls, caller, calls.leg(), other))
    await eventually(lambda: calls.floor.engine.seat(SEAT).state == "talking")
    calls.fake.hangup(other)
    ended = await calls.told(ConsultationEnded)
    assert (ended.outcome, ended.together_ms > 0) == ("left", True)
    await eventually(lambda: together(calls, caller, calls.leg()))
    calls.fake.hangup(caller)
    await calls.ended()


@pytest.mark.parametrize("how", ["consulting", "conference"])
async def test_an_asked_adviser_who_loads_the_page_anew_goes_on_by_the_new_one(calls: Calls, how: str) -> None:
    caller = await consulting(calls)
    if how == "conference":
        calls.node.asking(SEAT).be("conference")
        await eventually(lambda: together(calls, caller, calls.leg(), other_leg(calls)))
    calls.fake.phones[f"PJSIP/page{OTHER_SEAT}"] = "answers"
    calls.fake.register(f"page{OTHER_SEAT}")
    await eventually(lambda: calls.node.telephones.of(OTHER_SEAT).endpoint == f"page{OTHER_SEAT}")
    old = other_leg(calls)
    calls.node.move(OTHER_SEAT)
    await eventually(lambda: other_leg(calls) not in ("", old) and old not in calls.fake.legs)
    everybody = (caller,) if how == "conference" else ()
    await eventually(lambda: together(calls, calls.leg(), other_leg(calls), *everybody))
    (pending,) = calls.recorder.unsealed()
    assert len(pending.beside) == 2
    calls.node.hand_over(SEAT)
    await eventually(lambda: together(calls, caller, other_leg(calls)))
    calls.fake.hangup(other_leg(calls))
    assert (await calls.told(ConversationEnded, 2)).adviser == OTHER_ADVISER
    calls.fake.hangup(caller)
    await calls.ended()


async def test_an_asked_telephone_that_still_rings_cannot_be_left_for_another(calls: Calls) -> None:
    caller = await asking(calls, "rings")
    with pytest.raises(NotPossible, match="nobody is talking there"):
        calls.node.move(OTHER_SEAT)
    calls.fake.hangup(caller)
    await calls.ended()


@pytest.mark.parametrize("how", ["asked for", "hangs up", "telephone gone", "out of a conference"])
async def test_the_caller_is_handed_over_to_whoever_was_asked(calls: Calls, how: str) -> None:
    caller = await consulting(calls)
    seat, other = calls.leg(), calls.leg(OTHER_SEAT)
    if how == "out of a conference":
        calls.node.asking(SEAT).be("conference")
        await eventually(lambda: together(calls, caller, seat, other))
    if how == "asked for":
        calls.node.hand_over(SEAT)
    else:
        calls.fake.hangup(seat, PHONE_GONE if how == "telephone gone" else 16)
    answered = await calls.told(SeatAnswered, 2)
    assert (answered.seat, answered.adviser, answered.visit) == (OTHER_SEAT, OTHER_ADVISER, f"{caller}.2")
    await calls.told(AdviserNumberSaid, 2)
    assert calls.of(ConsultationEnded)[-1].outcome == "handed_over"
    assert calls.of(ConversationEnded)[-1].transferred_to is None
    await eventually(lambda: together(calls, caller, other))
    assert not calls.fake.legs[caller].music
    assert seat not in calls.fake.legs
    assert calls.floor.engine.seat(OTHER_SEAT).state == "talking"
    assert calls.floor.engine.seat(SEAT).visit is None
    assert {pending.visit for pending in calls.recorder.unsealed()} == {f"{caller}.1", f"{caller}.2"}
    calls.fake.hangup(other)
    await eventually(lambda: step(calls, caller) == "rating")
    calls.fake.hangup(caller)
    await calls.ended()


async def test_a_visit_that_begins_with_whoever_was_asked_is_found_as_one_that_rings(
    calls: Calls, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next controller ends what records there already."""
    caller = await consulting(calls)
    steps: list[tuple[int, Step]] = []
    monkeypatch.setattr(calls.node.screens, "see", lambda kept, verified: steps.append((kept.visits, kept.step)))
    calls.node.hand_over(SEAT)
    await calls.told(SeatAnswered, 2)
    assert {step for visit, step in steps if visit == 2} == {"ringing", "talking"}
    calls.fake.hangup(caller)
    await calls.ended()


async def test_without_room_nobody_is_asked_who_could_have_the_caller_unrecorded(
    calls: Calls, monkeypatch: pytest.MonkeyPatch
) -> None:
    caller = await talking(calls)
    calls.sit(OTHER_SEAT, OTHER_ADVISER)
    calls.node.settings = msgspec.structs.replace(calls.node.settings, unrecorded="refuse")
    monkeypatch.setattr(Recorder, "cannot_record", "only 3 MB free")
    with pytest.raises(NotPossible, match="no conversation can be recorded at this moment"):
        calls.node.consult(SEAT, OTHER_ADVISER, None)
    assert calls.floor.engine.seat(OTHER_SEAT).state == "ready"
    calls.fake.hangup(caller)
    await calls.ended()


async def test_a_wish_to_hand_over_to_somebody_who_has_just_left_is_none(calls: Calls) -> None:
    caller = await consulting(calls)
    calls.node.asking(SEAT).end("left")  # as if it were read before the wish
    calls.node.sessions[caller].wishes.handing_over = True
    calls.node.move(SEAT)  # and something else, which is carried out
    session = calls.node.sessions[caller]
    await eventually(lambda: not session.wishes.moved and not session.wishes.handing_over)
    assert session.kept.conversation
    calls.fake.hangup(caller)
    await calls.ended()


@pytest.mark.parametrize("phone", ["busy", "gone"])
async def test_whoever_does_not_answer_costs_nobody_the_caller(calls: Calls, phone: Phone) -> None:
    caller = await asking(calls, phone)
    ended = await calls.told(ConsultationEnded)
    assert ended.outcome == "not_answered"
    await eventually(lambda: together(calls, calls.leg(), caller))
    assert calls.floor.engine.seat(OTHER_SEAT).state == "not_ready"
    calls.fake.hangup(caller)
    await calls.ended()


@pytest.mark.parametrize("who", ["caller", "adviser, and they answer", "adviser, and they do not", "take back"])
async def test_whoever_leaves_while_it_rings(calls: Calls, who: str) -> None:
    caller = await asking(calls, "rings")
    await eventually(lambda: bool(other_leg(calls)))
    other = other_leg(calls)
    await eventually(lambda: calls.fake.legs[caller].music)
    if who == "caller":
        calls.fake.hangup(caller)
        assert (await calls.told(ConsultationEnded)).outcome == "caller_left"
        await calls.ended()
        return
    if who == "take back":
        calls.node.asking(SEAT).be("back")
        await eventually(lambda: together(calls, calls.leg(), caller))
        assert other not in calls.fake.legs, "nothing rings any more"
    else:
        calls.fake.hangup(calls.leg())
        await calls.told(ConversationEnded)
        await eventually(lambda: calls.fake.legs[caller].music)
        if who == "adviser, and they answer":
            calls.fake.pick_up(other)
            await calls.told(AdviserNumberSaid, 2)
            await eventually(lambda: together(calls, caller, other))
        else:
            calls.fake.no_answer(other)
            again = await calls.told(QueueEntered, 2)
            assert again.returned
            assert calls.of(ConsultationEnded)[-1].outcome == "not_answered"
            await calls.told(AdviserNumberSaid, 2)
            calls.node.consult(SEAT, OTHER_ADVISER, None)
            await calls.told(ConsultationBegun, 2)
    calls.fake.hangup(caller)
    await calls.ended()


async def test_a_seat_that_rings_for_somebody_else_by_now_rings_on(
    calls: Calls, monkeypatch: pytest.MonkeyPatch
) -> None:
    caller = await hearing_the_number(calls)
    calls.sit(OTHER_SEAT, OTHER_ADVISER, "rings")
    with monkeypatch.context() as at_once:
        at_once.setattr("queues.engine.RESERVATION_S", 0.0)
        calls.node.consult(SEAT, OTHER_ADVISER, None)
    somebody = calls.dial(number="13900001111")
    await calls.told(NoticeHeard, 2)
    calls.fake.dtmf(somebody, "1")
    await eventually(lambda: bool(other_leg(calls)))
    for channel in (caller, calls.leg()):
        calls.fake.finish(calls.fake.legs[channel].playing[0].id)
    assert (await calls.told(ConsultationEnded)).outcome == "not_answered"
    assert calls.floor.engine.seat(OTHER_SEAT).state == "ringing"
    calls.fake.hangup(somebody)
    await calls.told(CallEnded)
    calls.fake.hangup(caller)
    await calls.told(CallEnded, 2)


async def test_whoever_was_to_be_asked_is_free_for_the_caller_whose_adviser_has_left(calls: Calls) -> None:
    caller = await hearing_the_number(calls)
    calls.sit(OTHER_SEAT, OTHER_ADVISER)
    calls.node.consult(SEAT, OTHER_ADVISER, None)
    calls.fake.hangup(calls.leg())
    answered = await calls.told(SeatAnswered, 2)
    assert (answered.seat, answered.visit) == (OTHER_SEAT, f"{caller}.2")
    calls.fake.hangup(caller)
    await calls.ended()


async def test_the_caller_is_taken_back_though_asterisk_does_not_answer_once(
    calls: Calls, monkeypatch: pytest.MonkeyPatch
) -> None:
    caller = await consulting(calls)
    add, times = calls.node.ari.bridges.add_channel, 0

    async def answers_the_second_time(bridge_id: str, channel: Sequence[str]) -> None:
        nonlocal times
        times += 1
        if times == 1:
            raise Unavailable("bridges.add_channel: no answer")
        await add(bridge_id, channel)

    monkeypatch.setattr(calls.node.ari.bridges, "add_channel", answers_the_second_time)
    calls.node.asking(SEAT).be("back")
    await eventually(lambda: together(calls, calls.leg(), caller))
    assert times == 2
    calls.fake.hangup(caller)
    await calls.ended()


async def outside_with_the_caller(calls: Calls) -> tuple[str, str]:
    """The caller is handed over to whoever is outside; both channels."""
    caller = await talking(calls)
    with pytest.raises(NotPossible, match=f"110 may not be called. Mend: choose one of: {CITY}"):
        calls.node.consult(SEAT, None, "110")
    calls.fake.phones["PJSIP/12345@trunk-city"] = "answers"
    calls.node.consult(SEAT, None, CITY)
    await calls.told(ConsultationBegun)
    await eventually(lambda: together(calls, calls.leg(), outside_leg(calls)))
    outside = outside_leg(calls)
    calls.node.hand_over(SEAT)
    await eventually(lambda: together(calls, caller, outside))
    return caller, outside


async def test_somebody_outside_has_the_caller_until_they_hang_up(calls: Calls) -> None:
    caller, outside = await outside_with_the_caller(calls)
    assert (await calls.told(ConsultationEnded)).outcome == "handed_over"
    assert (await calls.told(ConversationEnded)).ended_by == "seat"
    assert calls.floor.engine.seat(SEAT).visit is None
    calls.never_ends("goodbye")
    calls.fake.hangup(outside)
    await eventually(lambda: step(calls, caller) == "closing" and bool(calls.fake.legs[caller].playing))
    assert said_last(calls, "goodbye")
    assert not calls.fake.legs[caller].bridge, "whoever is played to in a bridge, and hangs up, stays there"
    calls.fake.hangup(caller)
    await calls.ended()


async def test_a_lead_takes_over_and_nobody_hears_it_ring(calls: Calls) -> None:
    caller = await talking(calls)
    calls.sit(OTHER_SEAT, OTHER_ADVISER, "rings")
    with pytest.raises(NotPossible, match="takes calls"):
        calls.node.take_over(SEAT, OTHER_SEAT)
    calls.pause(OTHER_SEAT)
    calls.node.take_over(SEAT, OTHER_SEAT)
    await eventually(lambda: bool(other_leg(calls)))
    other = other_leg(calls)
    with pytest.raises(NotPossible, match="a team lead is taking this call over"):
        calls.node.asking(SEAT).be("back")
    assert together(calls, caller, calls.leg())
    assert not calls.fake.legs[caller].music
    calls.fake.pick_up(other)
    await calls.told(AdviserNumberSaid, 2)
    await eventually(lambda: together(calls, caller, other))
    assert calls.of(ConsultationEnded)[-1].outcome == "handed_over"
    calls.fake.hangup(caller)
    await calls.ended()
    assert calls.floor.engine.seat(OTHER_SEAT).afterwards == "break", "the pause goes on"


@pytest.mark.parametrize("own", [SEAT, OTHER_SEAT])
async def test_a_lead_listens_on_unless_it_is_their_telephone_that_is_rung(calls: Calls, own: str) -> None:
    caller = await talking(calls)
    calls.sit(OTHER_SEAT, OTHER_ADVISER, "rings")
    session = calls.node.sessions[caller]
    lead = session.lead = Lead(session, own)
    lead.gone.set()
    calls.node.consult(SEAT, OTHER_ADVISER, None)
    await eventually(lambda: bool(other_leg(calls)))
    assert lead.over == (own == OTHER_SEAT)
    calls.fake.hangup(caller)
    await calls.ended()


async def test_a_telephone_by_which_a_lead_listens_elsewhere_is_not_rung(calls: Calls) -> None:
    caller = await talking(calls)
    elsewhere = calls.dial()
    await calls.told(NoticeHeard, 2)
    calls.sit(OTHER_SEAT, OTHER_ADVISER)
    calls.pause(OTHER_SEAT)
    listened_to = calls.node.sessions[elsewhere]
    listened_to.lead = Lead(listened_to, OTHER_SEAT)
    orders: list[Callable[[], None]] = [
        lambda: calls.node.consult(SEAT, OTHER_ADVISER, None),
        lambda: calls.node.take_over(SEAT, OTHER_SEAT),
        lambda: calls.node.pull(OTHER_SEAT, f"{elsewhere}.1"),
        lambda: calls.node.redial(OTHER_SEAT),
    ]
    for order in orders:
        with pytest.raises(NotPossible, match=f"seat {OTHER_SEAT} is at another conversation"):
            order()
    listened_to.lead = None
    for channel in (caller, elsewhere):
        calls.fake.hangup(channel)
    await calls.told(CallEnded, 2)


async def test_whoever_leaves_while_no_controller_looks_is_told_of(site: Site) -> None:
    async with site.controller() as first:
        caller = await consulting(first)
        await first.journal.flush()
    site.fake.hangup(caller)
    async with site.controller() as calls:
        assert (await calls.told(ConsultationEnded)).outcome == "interrupted"
        await calls.ended()


@pytest.mark.parametrize("bridge", ["left", "not made yet"])
async def test_whoever_is_outside_and_leaves_while_no_controller_looks_is_told_of(site: Site, bridge: str) -> None:
    site.settings = _with_outside(site)
    async with site.controller() as first:
        caller, outside = await outside_with_the_caller(first)
        await first.journal.flush()
    if bridge == "not made yet":
        site.fake.leave_bridge(site.fake.legs[caller])
        site.fake.leave_bridge(site.fake.legs[outside])
        site.fake.bridges.clear()
    else:
        site.fake.hangup(outside)
    async with site.controller() as calls:
        if bridge == "not made yet":
            await eventually(lambda: together(calls, caller, outside))
            site.fake.hangup(outside)
        await eventually(lambda: step(calls, caller) == "closing")
        site.fake.hangup(caller)
        await calls.ended()


@pytest.mark.parametrize("how_far", ["ringing", "consulting", "conference", "outside"])
async def test_the_next_controller_goes_on_with_it(site: Site, how_far: str) -> None:
    site.settings = _with_outside(site)
    async with site.controller() as first:
        if how_far == "outside":
            caller, other = await outside_with_the_caller(first)
        elif how_far == "ringing":
            caller = await asking(first, "rings")
            await eventually(lambda: bool(other_leg(first)))
            other = other_leg(first)
            await eventually(lambda: first.fake.legs[caller].music)
        else:
            caller = await consulting(first)
            other = first.leg(OTHER_SEAT)
            if how_far == "conference":
                first.node.asking(SEAT).be("conference")
                await eventually(lambda: together(first, caller, first.leg(), other))
                await eventually(lambda: first.floor.engine.seat(SEAT).state == "talking")
        await first.journal.flush()
    async with site.controller() as calls:
        if how_far == "ringing":
            assert (await calls.told(ConsultationEnded)).outcome == "interrupted"
            await eventually(lambda: other not in site.fake.legs)
            await eventually(lambda: together(calls, caller, calls.leg()))
        elif how_far == "consulting":
            await eventually(lambda: calls.floor.engine.seat(OTHER_SEAT).state == "talking")
            calls.node.asking(SEAT).be("back")
            await eventually(lambda: together(calls, caller, calls.leg()))
        elif how_far == "conference":
            await eventually(lambda: calls.floor.engine.seat(OTHER_SEAT).state == "talking")
            site.fake.hangup(calls.leg())
            await calls.told(AdviserNumberSaid)
            await eventually(lambda: together(calls, caller, other))
        else:
            assert together(calls, caller, other)
            site.fake.hangup(other)
            await eventually(lambda: step(calls, caller) == "closing")
        site.fake.hangup(caller)
        await calls.ended()
