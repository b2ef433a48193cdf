"""A conversation goes on by another telephone of its seat, on the fake Asterisk; and a caller is passed on."""

from __future__ import annotations

import pytest

from calls.errors import NotPossible
from calls.facts import ConversationEnded, QueueEntered
from cti.asterisk import moving
from tests.contract.hotline_on_fake import ADVISER, OTHER_ADVISER, OTHER_SEAT, SEAT, Calls, Site
from tests.contract.steps import talking
from tests.eventually import eventually
from tests.fakes.ari import Phone

PAGE = f"page{SEAT}"


def page(calls: Calls, phone: Phone = "answers") -> None:
    """The adviser's page is there from now on, and does this when it is rung."""
    calls.fake.phones[f"PJSIP/{PAGE}"] = phone
    calls.fake.register(PAGE)


def legs(calls: Calls) -> dict[str, str]:
    """Every leg that we rang: its endpoint and its channel."""
    return {leg.endpoint: name for name, leg in calls.fake.legs.items() if leg.endpoint.endswith(SEAT)}


def talks_by(calls: Calls, caller: str) -> str | None:
    """The leg that is kept of the adviser."""
    kept = calls.node.sessions[caller].kept.conversation
    return kept.leg if kept else None


async def moved(calls: Calls) -> str:
    """The new leg, the old one being gone."""
    await eventually(lambda: list(legs(calls)) == [f"PJSIP/{PAGE}"])
    return legs(calls)[f"PJSIP/{PAGE}"]


async def test_the_page_takes_the_place_of_the_telephone_and_its_hang_up_ends_the_conversation(calls: Calls) -> None:
    caller = await talking(calls)
    (bridge,) = calls.fake.bridges
    page(calls)
    await eventually(lambda: calls.node.telephones.of(SEAT).endpoint == PAGE)
    calls.node.move(SEAT)
    leg = await moved(calls)
    await eventually(lambda: set(calls.fake.bridges[bridge].channels) == {caller, leg})
    kept = calls.node.sessions[caller].kept.conversation
    assert kept
    assert (kept.leg, kept.endpoint) == (leg, PAGE)
    (pending,) = calls.recorder.unsealed()
    assert [part.path.stem for part in pending.seat_again] == [f"{caller}.1.seat.2"]
    calls.fake.hangup(leg)
    over = await calls.told(ConversationEnded)
    assert (over.ended_by, over.transferred_to) == ("seat", None)
    calls.fake.hangup(caller)
    await calls.ended()


@pytest.mark.parametrize("phone", ["rings", "busy"])
async def test_a_page_that_does_not_answer_changes_nothing(
    calls: Calls, monkeypatch: pytest.MonkeyPatch, phone: Phone
) -> None:
    monkeypatch.setattr(moving, "RING_S", 0.1)
    caller = await talking(calls)
    before = calls.leg()
    page(calls, phone)
    await eventually(lambda: calls.node.telephones.of(SEAT).endpoint == PAGE)
    calls.node.move(SEAT)
    session = calls.node.sessions[caller]
    await eventually(lambda: not session.wishes.moved and list(legs(calls)) == [f"PJSIP/seat{SEAT}"])
    await eventually(lambda: [pending.seat_again for pending in calls.recorder.unsealed()] == [()])
    calls.fake.hangup(before)
    assert (await calls.told(ConversationEnded)).ended_by == "seat"
    calls.fake.hangup(caller)
    await calls.ended()


@pytest.mark.parametrize("who", ["the caller", "the adviser, by the telephone"])
async def test_whoever_hangs_up_while_the_page_rings_is_heard(calls: Calls, who: str) -> None:
    caller = await talking(calls)
    before = calls.leg()
    page(calls, "rings")
    await eventually(lambda: calls.node.telephones.of(SEAT).endpoint == PAGE)
    calls.node.move(SEAT)
    await eventually(lambda: f"PJSIP/{PAGE}" in legs(calls))
    ringing = legs(calls)[f"PJSIP/{PAGE}"]
    calls.fake.hangup(caller if who == "the caller" else before)
    if who != "the caller":
        calls.fake.pick_up(ringing)  # too late: the conversation is over, and nobody is put through to it
    over = await calls.told(ConversationEnded)
    assert over.ended_by == ("caller" if who == "the caller" else "seat")
    await eventually(lambda: f"PJSIP/{PAGE}" not in legs(calls))
    calls.fake.hangup(caller) if who != "the caller" else None
    await calls.ended()


async def test_the_next_controller_goes_on_with_the_leg_that_took_the_place(site: Site) -> None:
    async with site.controller() as first:
        caller = await talking(first)
        page(first)
        await eventually(lambda: first.node.telephones.of(SEAT).endpoint == PAGE)
        first.node.move(SEAT)
        leg = await moved(first)
        await eventually(lambda: talks_by(first, caller) == leg)
        await first.journal.flush()
    async with site.controller() as calls:
        await eventually(lambda: calls.floor.engine.seat(SEAT).state == "talking")
        site.fake.hangup(leg)
        assert (await calls.told(ConversationEnded)).ended_by == "seat"
        site.fake.hangup(caller)
        await calls.ended()


async def test_a_caller_is_passed_on_to_whoever_is_there_and_to_nobody_else(calls: Calls) -> None:
    caller = await talking(calls)
    with pytest.raises(NotPossible, match="has no queue nowhere"):
        calls.node.transfer(SEAT, "nowhere", None)
    with pytest.raises(NotPossible, match="nobody is talking"):
        calls.node.transfer(OTHER_SEAT, "cards", None)
    calls.sit(OTHER_SEAT, OTHER_ADVISER)
    calls.node.transfer(SEAT, "cards", OTHER_ADVISER)
    over = await calls.told(ConversationEnded)
    assert (over.adviser, over.ended_by, over.transferred_to) == (ADVISER, "seat", "cards")
    again = await calls.told(QueueEntered, 2)
    assert (again.preferred, again.since_ms) == (OTHER_ADVISER, calls.of(QueueEntered)[0].since_ms)
    await eventually(lambda: calls.floor.engine.seat(OTHER_SEAT).state == "talking")
    assert calls.floor.engine.seat(SEAT).state in {"wrap_up", "ready"}
    calls.fake.hangup(caller)
    await calls.ended()


async def test_a_pages_password_is_its_advisers_while_the_page_is_there(calls: Calls) -> None:
    first = await calls.node.telephones.open_page(SEAT, ADVISER)
    page(calls)
    await eventually(lambda: calls.node.telephones.of(SEAT).endpoint == PAGE)
    with pytest.raises(NotPossible, match="another adviser has a page open"):
        await calls.node.telephones.open_page(SEAT, OTHER_ADVISER)
    assert calls.fake.passwords == {PAGE: first}
    calls.node.telephones.leave(SEAT)
    await calls.node.telephones.open_page(SEAT, OTHER_ADVISER)
    calls.node.telephones.leave(SEAT)
    again = await calls.node.telephones.open_page(SEAT, ADVISER)
    assert calls.fake.passwords == {PAGE: again}
    assert again != first
    with pytest.raises(NotPossible, match="there is no seat 9999"):
        await calls.node.telephones.open_page("9999", ADVISER)
