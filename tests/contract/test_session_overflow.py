"""Overflow, on the fake Asterisk: who cannot wait in a queue, or has waited too long there, goes where the line says."""

from __future__ import annotations

import msgspec
import pytest

from calls.facts import CallbackOwed, NoticeHeard, QueueEntered, QueueLeft, SeatAnswered
from cti.settings import Trunk
from ivr.line import Callback, Overflow, Queue
from queues import Adviser, QueueRules, SitDown
from tests.contract.hotline_on_fake import ADVISER, LINE, SEAT, TRUNK, Calls, Site, calls, site, sounds
from tests.contract.steps import in_menu, said_last, waiting
from tests.eventually import eventually

__all__ = ["calls", "site", "sounds"]

OTHER = "13800002222"


def overflows(site: Site, overflow: Overflow) -> None:
    """From the queue of cards, in which one may wait."""
    queues = {"general": Queue({}, 9), "cards": Queue({"cards": 1}, 1, overflow=overflow)}
    site.line = msgspec.structs.replace(LINE, queues=queues, callback=Callback(offer_after_s=600.0))
    trunk = Trunk(TRUNK, match=("127.0.0.1",), dial="127.0.0.1:5060")
    site.settings = msgspec.structs.replace(site.settings, trunks=(trunk,))


def general_only(calls: Calls) -> None:
    """Nobody who sits knows about cards."""
    rules = {name: QueueRules(queue.max_waiting) for name, queue in calls.node.lines["12333"].queues.items()}
    calls.floor.load({ADVISER: Adviser(ADVISER, {})}, rules)


async def asks_for_cards(calls: Calls, number: str = OTHER) -> str:
    caller = calls.dial(number=number)
    await calls.until(lambda: any(heard.call_id == caller and heard.whole for heard in calls.of(NoticeHeard)))
    calls.fake.dtmf(caller, "1")
    return caller


async def test_whom_a_full_queue_cannot_keep_waits_in_the_next_with_the_wait_so_far(site: Site) -> None:
    overflows(site, Overflow(to="general"))
    async with site.controller() as calls:
        await waiting(calls)
        caller = await asks_for_cards(calls)
        first, second = await calls.told(QueueEntered, 2), await calls.told(QueueEntered, 3)
        assert [(one.call_id, one.queue) for one in (first, second)] == [(caller, "cards"), (caller, "general")]
        assert second.since_ms == first.since_ms
        assert [left.outcome for left in calls.of(QueueLeft)] == ["overflow"]
        await eventually(lambda: calls.fake.legs[caller].music)


async def test_whom_nobody_present_can_help_goes_where_somebody_can(site: Site) -> None:
    overflows(site, Overflow(to="general"))
    async with site.controller() as calls:
        general_only(calls)
        calls.sit()
        caller = await in_menu(calls)
        calls.fake.dtmf(caller, "1")
        answered = await calls.told(SeatAnswered)
        assert (answered.call_id, answered.visit) == (caller, f"{caller}.2")


async def test_whoever_waited_too_long_goes_on_elsewhere(site: Site) -> None:
    overflows(site, Overflow(to="general", after_s=0.001))
    async with site.controller() as calls:
        caller = await waiting(calls)
        entered = await calls.told(QueueEntered, 2)
        assert (entered.call_id, entered.queue) == (caller, "general")
        calls.floor.take(SitDown(SEAT, ADVISER))
        assert (await calls.told(SeatAnswered)).visit == entered.visit


@pytest.mark.parametrize(("number", "promised"), [(OTHER, True), ("", False)], ids=["a number", "withheld"])
async def test_whom_a_full_queue_cannot_keep_is_called_back_if_the_number_is_known(
    site: Site, number: str, promised: bool
) -> None:
    overflows(site, Overflow(callback=True))
    async with site.controller() as calls:
        await waiting(calls)
        caller = await asks_for_cards(calls, number)
        await calls.told(QueueLeft)
        await eventually(lambda: said_last(calls, "goodbye"))
        assert calls.of(QueueLeft)[0].outcome == ("callback" if promised else "full")
        assert [owed.call_id for owed in calls.of(CallbackOwed)] == [caller] * promised


async def test_who_is_withheld_waits_on_however_long(site: Site) -> None:
    overflows(site, Overflow(callback=True, after_s=0.001))
    async with site.controller() as calls:
        caller = await waiting(calls, number="")
        calls.floor.take(SitDown(SEAT, ADVISER))
        assert (await calls.told(SeatAnswered)).call_id == caller
        assert calls.of(CallbackOwed) == []
