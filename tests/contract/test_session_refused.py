"""Numbers that are refused for a while, on the fake Asterisk: the sentence, the key, the books, and the next controller."""

from __future__ import annotations

import msgspec
import pytest

from calls.facts import CallArrived, CallbackOwed, CallEnded, CallRefused, NoticeHeard, QueueEntered, SeatAnswered
from ivr.line import Choice, Menu, Queue
from tests.contract.hotline_on_fake import CALLING, LINE, Calls, Site
from tests.contract.steps import in_menu, said_last, step
from tests.eventually import eventually

OTHER = "13800002222"


@pytest.fixture
async def crisis_line(site: Site) -> Site:
    """Its second key is for a life in danger; one number may call twice."""
    choices = {"1": Choice("cards", queue="cards"), "2": Choice("crisis", queue="crisis")}
    queues = {"general": Queue({}, 9), "cards": Queue({"cards": 1}, 1), "crisis": Queue({}, 9, urgency="crisis")}
    site.line = msgspec.structs.replace(LINE, menus={"main": Menu("menu.main", choices)}, queues=queues)
    site.settings = msgspec.structs.replace(site.settings, redial_most=2)
    return site


def block(calls: Calls, number: str = CALLING) -> None:
    calls.node.blocklist.add(number, 1, "rude", "8001")


def sentence(calls: Calls) -> str:
    """As Asterisk is asked to play it."""
    keys = ("refused.blocked", "refused.crisis")
    return ",".join(piece for key in keys for piece in calls.sounds.media(key, LINE.language))


async def told_refused(calls: Calls, number: str = CALLING) -> str:
    """A refused caller, who is asked for the key; the sentence lasts."""
    calls.fake.lasting.add(sentence(calls))
    caller = calls.dial(number=number)
    await eventually(lambda: bool(calls.fake.legs[caller].playing))
    return caller


def times_told(calls: Calls) -> int:
    """How often the sentence was begun, under whichever controller."""
    media = [query["media"] for _, path, query in calls.fake.requests if "/play/" in path]
    return media.count(sentence(calls))


async def test_a_blocked_number_is_told_so_and_owed_nothing(crisis_line: Site) -> None:
    async with crisis_line.controller() as calls:
        block(calls)
        caller = await told_refused(calls)
        calls.fake.lasting.clear()
        calls.fake.dtmf(caller, "5")
        await eventually(lambda: said_last(calls, "refused.crisis"))
        calls.fake.dtmf(caller, "5")
        await eventually(lambda: said_last(calls, "goodbye"))
        calls.fake.hangup(caller)
        end = await calls.ended()

        refused = await calls.told(CallRefused)
        assert (refused.call_id, refused.reason) == (caller, "this number is blocked")
        assert (end.outcome, end.ended_by) == ("refused", "caller")
        assert (calls.of(CallArrived), calls.of(CallbackOwed)) == ([], [])


async def test_the_key_leads_to_the_crisis_queue_after_the_notice(crisis_line: Site) -> None:
    async with crisis_line.controller() as calls:
        block(calls)
        calls.sit()
        caller = await told_refused(calls)
        assert calls.node.admission.carried == 0
        calls.fake.dtmf(caller, "1")
        await calls.told(SeatAnswered)
        assert calls.node.admission.carried == 1
        entered = await calls.told(QueueEntered)
        assert (entered.queue, entered.urgency) == ("crisis", "crisis")
        assert (await calls.told(NoticeHeard)).whole
        calls.fake.hangup(caller)
        end = await calls.ended()

        assert (end.outcome, calls.node.admission.carried) == ("queued", 0)


async def test_others_call_as_ever_and_so_does_who_withholds_the_number(crisis_line: Site) -> None:
    async with crisis_line.controller() as calls:
        block(calls)
        for number in (OTHER, "anonymous"):
            caller = calls.dial(number=number)
            await calls.told(CallArrived, 1 if number == OTHER else 2)
            calls.fake.hangup(caller)
        await calls.nothing_left()
        assert calls.of(CallRefused) == []


async def test_a_machine_that_dials_is_told_twice_at_once_and_then_busy(crisis_line: Site) -> None:
    async with crisis_line.controller() as calls:
        block(calls)
        told = [await told_refused(calls) for _ in range(2)]
        third = calls.dial()
        end = await calls.told(CallEnded)

        assert (end.call_id, end.outcome, end.ended_by) == (third, "refused", "system")
        assert [fact.call_id for fact in calls.of(CallRefused)] == [*told, third]
        assert {step(calls, caller) for caller in told} == {"turned_away"}
        for caller in told:
            calls.fake.hangup(caller)
        await calls.nothing_left()


async def test_whoever_is_in_danger_keeps_nobody_else_of_that_number_from_the_key(crisis_line: Site) -> None:
    """Two of a payphone's callers wait for the crisis queue: the third is told how to get there, too."""
    async with crisis_line.controller() as calls:
        block(calls)
        calls.sit()
        calls.pause()
        for times in (1, 2):
            caller = await told_refused(calls)
            calls.fake.dtmf(caller, "1")
            await calls.told(QueueEntered, times)
        await told_refused(calls)
        assert calls.of(CallEnded) == []


async def test_who_calls_too_often_is_refused_for_a_while_and_whoever_was_one_too_many_does_not_count(
    crisis_line: Site,
) -> None:
    crisis_line.settings = msgspec.structs.replace(crisis_line.settings, max_calls=1)
    async with crisis_line.controller() as calls:
        up = await in_menu(calls)
        calls.dial()  # one too many, which is the hotline's doing
        assert (await calls.told(CallRefused)).reason == "too many calls at once"
        await calls.told(CallEnded)
        calls.fake.hangup(up)
        await calls.told(CallEnded, 2)
        calls.fake.hangup(await in_menu(calls))
        await calls.told(CallEnded, 3)
    async with crisis_line.controller() as calls:  # the next one counts on
        calls.dial()
        refused = await calls.told(CallRefused)

        assert refused.reason == "too many calls from this number"
        await eventually(lambda: bool(calls.node.sessions))


@pytest.mark.parametrize("where", ["the sentence", "the notice"])
async def test_the_next_controller_lets_nobody_slip_through(crisis_line: Site, where: str) -> None:
    async with crisis_line.controller() as calls:
        block(calls)
        if where == "the notice":
            calls.never_ends("notice")
        caller = await told_refused(calls)
        if where == "the notice":
            calls.fake.dtmf(caller, "1")
            await eventually(lambda: said_last(calls, "notice"))
    crisis_line.fake.lasting.clear()
    async with crisis_line.controller() as calls:
        calls.sit()
        await eventually(lambda: times_told(calls) == 2)
        calls.fake.dtmf(caller, "1")
        assert (await calls.told(QueueEntered)).queue == "crisis"
        calls.fake.hangup(caller)
        await calls.nothing_left()


async def test_whoever_hangs_up_in_the_notice_was_refused(crisis_line: Site) -> None:
    async with crisis_line.controller() as calls:
        block(calls)
        calls.never_ends("notice")
        caller = await told_refused(calls)
        calls.fake.dtmf(caller, "1")
        await eventually(lambda: said_last(calls, "notice"))
        calls.fake.hangup(caller)
        assert (await calls.ended()).outcome == "refused"
