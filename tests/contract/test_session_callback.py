"""Calling back, on the fake Asterisk: asked for, promised, kept at its place, and what may come in between."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable

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
    QueueEntered,
    QueueLeft,
    SeatAnswered,
    SeatOffered,
)
from calls.moments import RATING_MENU
from cti.asterisk import announcing
from cti.asterisk.promises import Promise
from cti.settings import Trunk
from ivr.line import Callback
from queues import SitDown
from tests.contract.hotline_on_fake import ADVISER, CALLING, LINE, SEAT, TRUNK, Calls, Site, calls, site, sounds
from tests.contract.steps import in_menu, talking, waiting
from tests.eventually import eventually
from tests.fakes.ari import Phone

__all__ = ["calls", "site", "sounds"]

CITIZEN = f"PJSIP/{CALLING}@trunk-{TRUNK}"
"""Where whoever called is rung."""


def calls_back(site: Site, offer_after_s: float = 0.0, missed_after_s: float | None = None) -> None:
    """Calls go out, and the line offers it at once, and calls twice at most."""
    rules = Callback(offer_after_s=offer_after_s, attempts=2, again_after_s=0.0, missed_after_s=missed_after_s)
    site.line = msgspec.structs.replace(LINE, callback=rules)
    trunk = Trunk(TRUNK, match=("127.0.0.1",), dial="127.0.0.1:5060")
    site.settings = msgspec.structs.replace(site.settings, trunks=(trunk,))
    site.fake.phones[CITIZEN] = "answers"


@pytest.fixture
async def calling(site: Site) -> AsyncIterator[Calls]:
    calls_back(site)
    async with site.controller() as calls:
        yield calls


async def asks(calls: Calls) -> str:
    """Somebody who waits asks to be called back, and confirms it; then hangs up. The call."""
    caller = await waiting(calls)
    await eventually(lambda: was_said(calls, "callback.offer"))
    calls.fake.dtmf(caller, "1")
    await eventually(lambda: was_said(calls, "callback.confirm", number=CALLING))
    calls.fake.dtmf(caller, "1")
    await calls.told(CallbackOwed)
    await eventually(lambda: was_said(calls, "callback.promised"))
    calls.fake.hangup(caller)
    await calls.until(lambda: any(end.call_id == caller for end in calls.of(CallEnded)))
    return caller


def was_said(calls: Calls, prompt: str, **values: str) -> bool:
    pieces = calls.sounds.media(prompt, LINE.language, **values)
    said = [query["media"].split(",")[: len(pieces)] for _, path, query in calls.fake.requests if "/play/" in path]
    return pieces in said


def back_at_work(calls: Calls, phone: Phone = "answers") -> None:
    calls.fake.phones[f"PJSIP/seat{SEAT}"] = phone
    calls.floor.take(SitDown(SEAT, ADVISER))


def promises(calls: Calls) -> list[Promise]:
    return list(calls.journal.find("promise/", Promise).values())


async def calling_back(calls: Calls, citizen: Phone = "rings") -> str:
    """An adviser has answered, and the citizen's telephone rings; the call that we make."""
    await asks(calls)
    calls.fake.phones[CITIZEN] = citizen
    back_at_work(calls)
    await eventually(lambda: any(leg.endpoint == CITIZEN for leg in calls.fake.legs.values()))
    return calls.of(CallbackBegun)[-1].call_id


async def test_whoever_asks_is_called_back_by_an_adviser(calling: Calls) -> None:
    caller = await asks(calling)
    [owed] = calling.of(CallbackOwed)
    [entered] = calling.of(QueueEntered)[:1]
    assert (owed.call_id, owed.why, owed.promised, owed.queue) == (caller, "asked", True, "cards")
    assert (owed.visit, owed.since_ms) == (entered.visit, entered.since_ms)
    assert [left.outcome for left in calling.of(QueueLeft)] == ["callback"]

    back_at_work(calling)
    await calling.told(AdviserNumberSaid)
    assert was_said(calling, "callback.greeting")
    calling.fake.hangup(calling.leg())
    await calling.until(lambda: RATING_MENU in calling.watch.asked)
    calling.fake.hangup(calling.of(CallbackBegun)[0].call_id)
    await calling.told(CallEnded, 2)
    await calling.nothing_left()

    [begun], [tried] = calling.of(CallbackBegun), calling.of(CallbackTried)
    assert (begun.callback_of, begun.attempt, begun.calling_number) == (caller, 1, f"+86{CALLING}")
    assert (tried.call_id, tried.reached, tried.reason, tried.adviser) == (begun.call_id, True, None, ADVISER)
    again = calling.of(QueueEntered)[1]
    assert (again.call_id, again.since_ms, again.place_of) == (begun.call_id, entered.since_ms, entered.visit)
    assert [(end.call_id, end.outcome, end.attempts) for end in calling.of(CallbackEnded)] == [(caller, "kept", 1)]
    assert [end.outcome for end in calling.of(CallEnded)] == ["queued", "called_back"]
    assert [left.outcome for left in calling.of(QueueLeft)] == ["callback", "answered"]
    assert [over.ended_by for over in calling.of(ConversationEnded)] == ["seat"]
    assert promises(calling) == []
    assert calling.node.admission.carried == 0


async def test_the_place_is_before_whoever_came_later(site: Site) -> None:
    calls_back(site)
    site.line = msgspec.structs.replace(site.line, queues={**LINE.queues, "cards": LINE.queues["general"]})
    async with site.controller() as calls:
        first = await asks(calls)
        later = await waiting(calls, number="13800002222")
        back_at_work(calls)
        offered = await calls.told(SeatOffered)

        assert offered.call_id == calls.of(CallbackBegun)[0].call_id != later
        assert calls.of(CallbackBegun)[0].callback_of == first
        assert calls.floor.engine.position(f"{later}.1") is not None


@pytest.mark.parametrize("keys", ["12", "1-", "2"], ids=["not confirmed", "no second key", "another key"])
async def test_whoever_does_not_confirm_waits_on(calling: Calls, keys: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(announcing, "CONFIRM_WAIT_S", 0.05)
    caller = await waiting(calling)
    await eventually(lambda: was_said(calling, "callback.offer"))
    calling.fake.dtmf(caller, keys[0])
    if keys[0] == "1":
        await eventually(lambda: was_said(calling, "callback.confirm", number=CALLING))
        if keys[1] != "-":
            calling.fake.dtmf(caller, keys[1])
        await eventually(lambda: was_said(calling, "queue.still_waiting"))
    back_at_work(calling)
    await calling.told(SeatAnswered)
    assert calling.of(CallbackOwed) == []


async def test_what_was_keyed_before_the_offer_asks_for_nothing(site: Site) -> None:
    calls_back(site, offer_after_s=600.0)
    async with site.controller() as calls:
        caller = await waiting(calls)
        for _ in range(3):
            calls.fake.dtmf(caller, "1")
        back_at_work(calls)
        await calls.told(SeatAnswered)
        assert not was_said(calls, "callback.offer")
        assert calls.of(CallbackOwed) == []


@pytest.mark.parametrize("number", ["", "anonymous", "+12025550123"], ids=["none", "withheld", "foreign"])
async def test_whose_number_cannot_be_rung_is_offered_nothing(calling: Calls, number: str) -> None:
    calling.sit()
    calling.pause()
    caller = calling.fake.incoming(number, ("in", "12333", TRUNK, "sip-1"))
    await calling.until(lambda: "main" in calling.watch.asked)
    calling.fake.dtmf(caller, "1")
    await calling.told(QueueEntered)
    await eventually(lambda: was_said(calling, "queue.enter") and calling.fake.legs[caller].music)
    calling.fake.dtmf(caller, "1")
    back_at_work(calling)
    await calling.told(SeatAnswered)
    assert not was_said(calling, "callback.offer")


async def test_whoever_is_not_reached_is_tried_again_and_then_given_up(calling: Calls) -> None:
    caller = await asks(calling)
    calling.fake.phones[CITIZEN] = "busy"
    back_at_work(calling)
    await calling.told(CallbackBegun, 2)
    assert was_said(calling, "callback.not_reached")
    back_at_work(calling)
    await calling.told(CallbackEnded)
    await calling.nothing_left()

    assert [(tried.attempt, tried.reached, tried.reason) for tried in calling.of(CallbackTried)] == [
        (1, False, "busy"),
        (2, False, "busy"),
    ]
    [end] = calling.of(CallbackEnded)
    assert (end.call_id, end.outcome, end.attempts) == (caller, "not_reached", 2)
    assert [left.outcome for left in calling.of(QueueLeft)] == ["callback", "not_reached", "not_reached"]
    assert [end.outcome for end in calling.of(CallEnded)] == ["queued", "called_back", "called_back"]
    assert calling.of(SeatAnswered) == []
    assert promises(calling) == []
    assert calling.node.admission.carried == 0


async def test_a_citizen_who_does_not_pick_up_is_rung_no_longer_than_the_line_says(calling: Calls) -> None:
    call = await calling_back(calling)
    calling.fake.no_answer(call)
    tried = await calling.told(CallbackTried)
    assert tried.reason == "no_answer"
    await eventually(lambda: calling.floor.engine.seat(SEAT).state in ("wrap_up", "ready"))


async def test_while_the_citizen_is_rung_the_seat_is_calling(calling: Calls) -> None:
    call = await calling_back(calling)
    assert calling.floor.engine.seat(SEAT).state == "calling"
    calling.fake.pick_up(call)
    await calling.told(SeatAnswered)
    assert calling.floor.engine.seat(SEAT).state == "talking"


async def test_an_adviser_who_leaves_meanwhile_costs_the_citizen_no_attempt(calling: Calls) -> None:
    call = await calling_back(calling)
    calling.fake.hangup(calling.leg())
    tried = await calling.told(CallbackTried)
    assert (tried.reason, tried.reached) == ("adviser_left", False)
    await eventually(lambda: call not in calling.fake.legs)
    second = await calling.told(CallbackBegun, 2)
    assert second.attempt == 1


async def test_a_citizen_who_hangs_up_at_once_was_reached(calling: Calls) -> None:
    calling.never_ends("callback.greeting")
    call = await calling_back(calling, "answers")
    await eventually(lambda: was_said(calling, "callback.greeting"))
    calling.fake.hangup(call)
    await calling.told(CallEnded, 2)
    await calling.nothing_left()
    assert calling.of(CallbackEnded)[0].outcome == "kept"
    assert calling.of(SeatAnswered) == []
    await eventually(lambda: calling.floor.engine.seat(SEAT).state in ("wrap_up", "ready"))


# The citizen rings again


async def test_whoever_rings_again_has_the_place_and_is_not_called_when_answered(calling: Calls) -> None:
    caller = await asks(calling)
    first = calling.of(QueueEntered)[0]
    await calling.told(CallbackBegun)
    again = await in_menu(calling)
    calling.fake.dtmf(again, "1")
    entered = await calling.told(QueueEntered, 3)
    assert (entered.call_id, entered.since_ms, entered.place_of) == (again, first.since_ms, first.visit)
    await calling.until(lambda: [left.outcome for left in calling.of(QueueLeft)] == ["callback", "withdrawn"])
    back_at_work(calling)
    await calling.told(SeatAnswered)
    assert [(end.call_id, end.outcome) for end in calling.of(CallbackEnded)] == [(caller, "rang_again")]
    assert promises(calling) == []


async def test_whoever_rings_again_and_gives_up_is_called_all_the_same(calling: Calls) -> None:
    await asks(calling)
    await calling.told(CallbackBegun)
    again = await in_menu(calling)
    calling.fake.dtmf(again, "1")
    await calling.told(QueueEntered, 3)
    calling.fake.hangup(again)
    await calling.told(CallbackBegun, 2)
    back_at_work(calling)
    await calling.told(AdviserNumberSaid)
    assert calling.of(CallbackEnded)[0].outcome == "kept"


# Those who gave up


async def test_whoever_gave_up_is_called_back_in_the_gaps(site: Site) -> None:
    calls_back(site, missed_after_s=0.0)
    site.line = msgspec.structs.replace(site.line, queues={**LINE.queues, "cards": LINE.queues["general"]})
    async with site.controller() as calls:
        gone = await waiting(calls)
        calls.fake.hangup(gone)
        owed = await calls.told(CallbackOwed)
        assert (owed.call_id, owed.why, owed.promised) == (gone, "gave_up", False)
        begun = await calls.told(CallbackBegun)
        assert calls.of(QueueEntered)[-1].urgency == "spare"
        later = await waiting(calls, number="13800002222")
        back_at_work(calls)
        await calls.told(AdviserNumberSaid)  # who holds the line first, whenever they came
        assert calls.of(SeatAnswered)[0].call_id == later
        calls.fake.hangup(later)
        await calls.told(ConversationEnded)
        back_at_work(calls)
        await calls.told(AdviserNumberSaid, 2)
        assert calls.of(SeatAnswered)[1].call_id == begun.call_id
        assert calls.of(CallbackEnded)[0].outcome == "kept"


async def test_whoever_gave_up_and_asks_again_later_has_no_old_place(site: Site) -> None:
    calls_back(site, missed_after_s=0.0)
    site.settings = msgspec.structs.replace(site.settings, place_kept_s=0.0)
    async with site.controller() as calls:
        gone = await waiting(calls)
        calls.fake.hangup(gone)
        await calls.told(CallbackBegun)
        before = calls.of(QueueEntered)[0]
        again = await waiting(calls)
        entered = calls.of(QueueEntered)[-1]
        assert (entered.call_id, entered.place_of) == (again, None)
        assert entered.since_ms > before.since_ms
        await calls.until(lambda: calls.of(QueueLeft)[-1].outcome == "withdrawn")
        back_at_work(calls)
        await calls.told(SeatAnswered)
        assert calls.of(CallbackEnded)[0].outcome == "rang_again"


# Those whom the hotline failed


async def test_whom_a_dying_asterisk_drops_is_called_back_when_it_is_there_again(calling: Calls) -> None:
    caller = await talking(calling)
    calling.fake.phones[f"PJSIP/seat{SEAT}"] = "answers"
    await calling.fake.die()
    begun = await calling.told(CallbackBegun)
    assert begun.callback_of == caller
    entered = calling.of(QueueEntered)[-1]
    assert (entered.call_id, entered.urgency) == (begun.call_id, "promised")
    calling.fake.register(f"seat{SEAT}")
    await eventually(lambda: calling.floor.engine.seat(SEAT).state != "talking")
    back_at_work(calling)
    await calling.told(AdviserNumberSaid, 2)
    assert calling.of(CallbackEnded)[0].outcome == "kept"


async def test_whoever_is_turned_away_five_times_is_called_once(site: Site) -> None:
    calls_back(site)
    site.settings = msgspec.structs.replace(site.settings, max_calls=1, max_channels=9)
    async with site.controller() as calls:
        await in_menu(calls)
        for times in range(1, 6):
            calls.dial()
            await calls.told(CallbackOwed, times)
        await calls.until(lambda: len(calls.of(CallbackEnded)) == 4)
        assert {end.outcome for end in calls.of(CallbackEnded)} == {"rang_again"}
        [promise] = promises(calls)
        assert promise.call_id == calls.of(CallbackOwed)[4].call_id


# An adviser calls back at once


async def test_an_adviser_calls_a_lost_caller_back_whoever_waits(calling: Calls) -> None:
    caller = await talking(calling)
    with pytest.raises(NotPossible, match="talking: wait for the end of the call"):
        calling.node.redial(SEAT)
    calling.fake.hangup(caller)
    await calling.told(CallEnded)
    await calling.nothing_left()
    calling.pause()
    other = await waiting(calling, number="13800002222")
    calling.node.redial(SEAT)
    begun = await calling.told(CallbackBegun)
    assert begun.callback_of == caller
    await calling.told(AdviserNumberSaid, 2)
    assert calling.of(SeatAnswered)[1].call_id == begun.call_id != other
    assert calling.of(CallbackOwed)[0].why == "redial"
    assert calling.of(CallbackEnded)[0].outcome == "kept"


async def test_who_cannot_be_called_back_is_said(calling: Calls) -> None:
    calling.sit()
    with pytest.raises(NotPossible, match="has spoken to nobody"):
        calling.node.redial(SEAT)
    caller = calling.dial(number="")
    await calling.until(lambda: "main" in calling.watch.asked)
    calling.fake.dtmf(caller, "1")
    await calling.told(AdviserNumberSaid)
    calling.fake.hangup(caller)
    await calling.told(CallEnded)
    await calling.nothing_left()
    with pytest.raises(NotPossible, match="nobody can be rung"):
        calling.node.redial(SEAT)


# Controllers come and go


async def until_queue(calls: Calls) -> None:
    await asks(calls)
    await calls.told(CallbackBegun)


async def until_ringing(calls: Calls) -> None:
    await asks(calls)
    back_at_work(calls, "rings")
    await eventually(lambda: any(leg.endpoint.endswith(SEAT) for leg in calls.fake.legs.values()))


async def until_calling(calls: Calls) -> None:
    await calling_back(calls)


async def until_greeting(calls: Calls) -> None:
    calls.never_ends("callback.greeting")
    await calling_back(calls, "answers")
    await eventually(lambda: was_said(calls, "callback.greeting"))


async def until_talking(calls: Calls) -> None:
    await calling_back(calls, "answers")
    await calls.told(AdviserNumberSaid)


@pytest.mark.parametrize("come", [until_queue, until_ringing, until_calling, until_greeting, until_talking])
async def test_a_promise_outlives_the_controller(site: Site, come: Callable[[Calls], Awaitable[None]]) -> None:
    calls_back(site)
    async with site.controller() as first:
        await come(first)
        caller = first.of(CallbackOwed)[0].call_id
        first_attempt = first.of(CallbackBegun)[0].call_id
        met = len(first.of(AdviserNumberSaid))
    site.fake.phones.update({CITIZEN: "answers", f"PJSIP/seat{SEAT}": "answers"})
    site.fake.lasting -= {each for each in site.fake.lasting if "greeting" in each}
    async with site.controller() as calls:
        if not met:
            calls.floor.phone_seen(SEAT, reachable=True)
            await eventually(lambda: _sits(calls))
            await calls.told(AdviserNumberSaid)
        site.fake.hangup(next(name for name, leg in site.fake.legs.items() if leg.endpoint == CITIZEN))
        await calls.until(lambda: not promises(calls) and bool(calls.of(CallEnded)))
        await calls.nothing_left()
        await calls.journal.flush()
        history = [stamped.fact for stamped in await calls.journal.read_after(0)]

        ends = [fact for fact in history if isinstance(fact, CallbackEnded)]
        assert [(end.call_id, end.outcome, end.attempts) for end in ends] == [(caller, "kept", 1)]
        begun = [fact.call_id for fact in history if isinstance(fact, CallbackBegun)]
        assert begun[0] == first_attempt
        assert len(begun) == (2 if come is until_calling else 1)
        called = [fact for fact in history if isinstance(fact, CallEnded) and fact.outcome == "called_back"]
        assert sorted(fact.call_id for fact in called) == sorted(begun)
        visits = [fact.visit for fact in history if isinstance(fact, QueueEntered)]
        assert sorted(visits) == sorted(fact.visit for fact in history if isinstance(fact, QueueLeft))
        assert promises(calls) == []


def _sits(calls: Calls) -> bool:
    """The adviser is at work again; the seat that nobody knows any more must be sat down at anew."""
    seat = calls.floor.engine.seat(SEAT)
    if seat.state in ("not_ready", "logged_out"):
        calls.floor.take(SitDown(SEAT, ADVISER))
    return seat.state not in ("not_ready", "logged_out")
