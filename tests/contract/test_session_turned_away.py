"""Too many calls, on the fake Asterisk: the sentence, the call back that is owed, and that nobody else notices."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from calls.facts import CallArrived, CallbackOwed, CallEnded, CallRefused
from cti.asterisk import session
from cti.asterisk.kept import KeptCall
from tests.contract.hotline_on_fake import Site
from tests.contract.steps import in_menu, said_last, step
from tests.eventually import eventually


@pytest.fixture
async def one_at_a_time(site: Site) -> Site:
    """A hotline that carries one call."""
    site.settings = msgspec.structs.replace(site.settings, max_calls=1)
    return site


async def test_one_call_too_many_is_told_so_and_owed_a_call(one_at_a_time: Site) -> None:
    async with one_at_a_time.controller() as calls:
        first = await in_menu(calls)
        second = calls.dial()
        end = await calls.told(CallEnded)
        refused, owed = await calls.told(CallRefused), await calls.told(CallbackOwed)

        assert [fact.call_id for fact in calls.of(CallArrived)] == [first]
        assert (refused.call_id, refused.reason) == (second, "too many calls at once")
        assert (owed.call_id, owed.calling_number, owed.line, owed.why) == (
            second,
            "+8613800001111",
            "12333",
            "too_many_calls",
        )
        assert owed.promised
        assert said_last(calls, "busy.callback")
        assert (end.call_id, end.outcome, end.ended_by, end.step) == (second, "refused", "system", "turned_away")
        assert step(calls, first) == "menu"
        await eventually(lambda: second not in calls.fake.legs)
        calls.fake.hangup(first)
        await eventually(lambda: len(calls.of(CallEnded)) == 2)
        await calls.nothing_left()


async def test_the_next_call_is_carried_when_one_has_left(one_at_a_time: Site) -> None:
    async with one_at_a_time.controller() as calls:
        calls.fake.hangup(await in_menu(calls))
        await calls.nothing_left()
        await in_menu(calls)

        assert calls.of(CallRefused) == []


async def test_who_withholds_the_number_is_promised_nothing(one_at_a_time: Site) -> None:
    async with one_at_a_time.controller() as calls:
        await in_menu(calls)
        calls.fake.incoming("anonymous", ("in", "12333", "city", "sip-2"))
        owed = await calls.told(CallbackOwed)
        await calls.told(CallEnded)

        assert (owed.calling_number, owed.promised) == (None, False)
        assert said_last(calls, "busy.later")


async def test_nothing_is_promised_while_the_disk_does_not_take_it(
    one_at_a_time: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def never() -> None:
        await asyncio.Event().wait()

    async with one_at_a_time.controller() as calls:
        await in_menu(calls)
        monkeypatch.setattr(session, "PROMISE_S", 0.01)
        monkeypatch.setattr(calls.journal, "flush", never)
        calls.dial()
        await calls.told(CallEnded)

        assert said_last(calls, "busy.later")
        monkeypatch.undo()


async def test_who_hangs_up_on_the_sentence_is_owed_the_call_all_the_same(one_at_a_time: Site) -> None:
    async with one_at_a_time.controller() as calls:
        await in_menu(calls)
        calls.never_ends("busy.callback")
        second = calls.dial()
        await eventually(lambda: bool(calls.fake.legs[second].playing))
        calls.fake.hangup(second)
        end = await calls.told(CallEnded)

        assert (end.outcome, end.ended_by) == ("refused", "caller")
        assert len(calls.of(CallbackOwed)) == 1


@pytest.mark.parametrize("gone", [False, True])
async def test_the_next_controller_finishes_the_sentence_and_counts_the_others(one_at_a_time: Site, gone: bool) -> None:
    """`gone`: the caller hung up while no controller was there."""
    async with one_at_a_time.controller() as calls:
        first = await in_menu(calls)
        calls.never_ends("busy.callback")
        second = calls.dial()
        await eventually(lambda: bool(calls.fake.legs[second].playing))
    one_at_a_time.fake.lasting.clear()
    if gone:
        one_at_a_time.fake.hangup(second)
    async with one_at_a_time.controller() as calls:
        end = await calls.told(CallEnded)
        assert (end.call_id, end.outcome) == (second, "refused")
        assert [fact for fact in calls.facts if isinstance(fact, CallRefused | CallbackOwed | CallArrived)] == []
        assert calls.journal.find("call/", KeptCall).keys() == {f"call/{first}"}

        third = calls.dial()
        assert (await calls.told(CallRefused)).call_id == third


async def test_who_was_held_does_not_count_against_the_rate(site: Site) -> None:
    site.settings = msgspec.structs.replace(site.settings, max_calls_per_s=0.001)
    async with site.controller() as calls:
        await in_menu(calls)
        held = calls.fake.elsewhere()
        leg = calls.fake.legs[held]
        calls.fake.set_state(leg, "Up")
        calls.fake.enter(leg, ("in", "12333", "city", "sip-held"))
        await calls.told(CallArrived, 2)
        calls.dial()

        assert (await calls.told(CallRefused)).reason == "too many calls in one second"
