"""Calls that outlive the event socket, and the controller: the next one goes on where the last one was.

On the fake Asterisk; the last controller is as dead as a killed one.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import msgspec
import pytest

from calls.facts import (
    AdviserNumberSaid,
    CallArrived,
    CallbackOwed,
    CallEnded,
    ControllerStarted,
    ConversationEnded,
    PositionSaid,
    QueueEntered,
    QueueLeft,
    RecordingLost,
    SeatAnswered,
    SeatDidNotAnswer,
    SeatOffered,
)
from calls.moments import RATING_MENU
from cti.asterisk import ending, session
from cti.asterisk import leg as legs
from cti.asterisk.kept import KeptCall, Told
from cti.floor import KeptSeat
from tests.contract.hotline_on_fake import ADVISER, CALLING, LINE, SEAT, Calls, Site
from tests.contract.steps import (
    STEPS,
    closing,
    hearing_the_number,
    in_menu,
    in_notice,
    rating,
    ringing,
    said_last,
    step,
    talking,
    waiting,
    waiting_told,
)
from tests.eventually import eventually

# The event socket away


async def drop(calls: Calls, meanwhile: Callable[[], object] = lambda: None) -> None:
    """Asterisk closes it; nobody hears what happens until it is there again."""
    before = calls.node.socket.connections
    await calls.fake.drop()
    meanwhile()
    await eventually(lambda: calls.node.socket.connections > before)


@pytest.mark.parametrize("come", [in_menu, waiting, talking])
async def test_a_call_outlives_the_event_socket(calls: Calls, come: Callable[[Calls], Awaitable[str]]) -> None:
    caller = await come(calls)
    at = step(calls, caller)
    await drop(calls)

    assert step(calls, caller) == at
    assert calls.node.problem is None
    calls.fake.hangup(caller)
    assert (await calls.ended()).ended_by == "caller"


async def test_a_waiting_caller_who_left_unheard_is_let_go(calls: Calls) -> None:
    caller = await waiting(calls)
    await drop(calls, lambda: calls.fake.hangup(caller))
    end = await calls.ended()

    assert (end.outcome, end.ended_by) == ("queued", "caller")
    assert [left.outcome for left in calls.of(QueueLeft)] == ["abandoned_waiting"]


async def test_a_talking_caller_who_left_unheard_frees_the_seat(calls: Calls) -> None:
    caller = await talking(calls)
    await drop(calls, lambda: calls.fake.hangup(caller))
    end = await calls.ended()

    assert (end.outcome, end.ended_by) == ("queued", "caller")
    assert [over.ended_by for over in calls.of(ConversationEnded)] == ["caller"]
    assert calls.floor.engine.seat(SEAT).state == "wrap_up"


async def test_a_seat_that_left_unheard_has_hung_up(calls: Calls) -> None:
    caller = await talking(calls)
    await drop(calls, lambda: calls.fake.hangup(calls.leg()))
    await calls.until(lambda: RATING_MENU in calls.watch.asked)
    calls.fake.hangup(caller)
    await calls.ended()

    assert [over.ended_by for over in calls.of(ConversationEnded)] == ["seat"]


async def test_a_ringing_seat_that_left_unheard_is_not_waited_for(calls: Calls) -> None:
    caller = await ringing(calls)
    await drop(calls, lambda: calls.fake.no_answer(calls.leg()))
    missed = await calls.told(SeatDidNotAnswer)
    calls.fake.hangup(caller)
    await calls.ended()

    assert missed.reason == "unreachable"


# The next controller


async def test_a_conversation_goes_on_under_the_next_controller(site: Site) -> None:
    async with site.controller() as first:
        caller = await talking(first)
        bridge = site.fake.legs[caller].bridge
    async with site.controller() as calls:
        await eventually(lambda: caller in calls.node.sessions)
        assert calls.of(ControllerStarted)[0].adopted == 1
        assert set(site.fake.bridges[bridge].channels) == {caller, calls.leg()}
        await eventually(lambda: calls.floor.engine.seat(SEAT).state == "talking")
        site.fake.hangup(calls.leg())
        await calls.until(lambda: RATING_MENU in calls.watch.asked)
        site.fake.hangup(caller)
        end = await calls.ended()

        assert (end.outcome, end.ended_by, end.step) == ("queued", "caller", "rating")
        assert [over.ended_by for over in calls.of(ConversationEnded)] == ["seat"]


async def test_a_caller_on_hold_is_on_hold_under_the_next_controller_too(site: Site) -> None:
    async with site.controller() as first:
        caller = await talking(first)
        site.fake.hold(first.leg())
        await eventually(lambda: first.floor.engine.seat(SEAT).state == "holding")
    async with site.controller() as calls:
        await eventually(lambda: calls.floor.engine.seat(SEAT).state == "holding")
        site.fake.hold(calls.leg(), on=False)
        await eventually(lambda: calls.floor.engine.seat(SEAT).state == "talking")
        site.fake.hold(calls.leg())
        await eventually(lambda: calls.floor.engine.seat(SEAT).state == "holding")
        site.fake.hangup(caller)
        await calls.ended()

        [over] = calls.of(ConversationEnded)
        assert 0 < over.held_ms < over.talked_ms


async def test_a_telephone_that_dies_on_hold_while_no_controller_looks_gives_its_caller_back(site: Site) -> None:
    async with site.controller() as first:
        caller = await talking(first)
        site.fake.hold(first.leg())
        await eventually(lambda: first.floor.engine.seat(SEAT).state == "holding")
    site.fake.register(f"seat{SEAT}", peer_status="Unreachable")
    async with site.controller() as calls:
        over = await calls.told(ConversationEnded)
        again = await calls.told(QueueEntered)
        site.fake.hangup(caller)
        await calls.ended()

        assert (over.ended_by, again.returned) == ("fault", True)


async def test_a_seat_that_ended_between_two_controllers_has_hung_up(site: Site) -> None:
    async with site.controller() as first:
        caller = await talking(first)
    site.fake.hangup(next(name for name in site.fake.legs if name != caller))
    async with site.controller() as calls:
        await calls.until(lambda: RATING_MENU in calls.watch.asked)
        site.fake.hangup(caller)
        await calls.ended()

        assert [over.ended_by for over in calls.of(ConversationEnded)] == ["seat"]


@pytest.mark.parametrize("left", [False, True], ids=["the adviser stays", "the adviser leaves meanwhile"])
async def test_two_who_did_not_meet_yet_are_brought_together_by_the_next_controller(site: Site, left: bool) -> None:
    async with site.controller() as first:
        caller = await hearing_the_number(first)
        leg = first.leg()
    site.fake.lasting.clear()  # the sentences that were begun go on: nothing can be said before they are ended
    if left:
        site.fake.hangup(leg)
    async with site.controller() as calls:
        if left:
            again = await calls.told(QueueEntered)
            assert again.returned
        else:
            await calls.told(AdviserNumberSaid)
            assert {site.fake.legs[name].bridge for name in (caller, leg)} == set(site.fake.bridges)
        site.fake.hangup(caller)
        await calls.ended()

        assert [over.ended_by for over in calls.of(ConversationEnded)] == ["seat" if left else "caller"]


async def test_a_place_in_the_queue_is_kept(site: Site) -> None:
    async with site.controller() as first:
        caller = await waiting(first)
        since_ms = first.of(QueueEntered)[0].since_ms
    async with site.controller() as calls:
        calls.sit()
        offered = await calls.told(SeatOffered)
        await calls.told(SeatAnswered)
        site.fake.hangup(caller)
        await calls.ended()

        assert offered.visit == f"{caller}.1"
        assert calls.of(QueueEntered) == []
        assert calls.of(QueueLeft)[0].waited_ms > 0
        assert since_ms


@pytest.mark.parametrize("answered", [True, False], ids=["the next seat answers", "the caller leaves"])
async def test_what_was_recorded_for_a_seat_that_a_dead_controller_rang_is_ended_and_removed(
    site: Site, answered: bool
) -> None:
    async with site.controller() as first:
        caller = await ringing(first)
    tracks = [site.settings.raw_dir / f"{caller}.1.{side}.wav" for side in ("caller", "seat")]
    for track in tracks:
        track.write_bytes(b"")
    if answered:
        site.fake.phones[f"PJSIP/seat{SEAT}"] = "answers"
    async with site.controller() as calls:
        await eventually(
            lambda: (
                ("POST", f"/channels/{caller}/continue") in [(method, path) for method, path, _ in site.fake.requests]
            )
        )
        stopped = [query for _, path, query in site.fake.requests if path.endswith("/continue")]
        assert stopped[0]["context"] == "stop-recording"
        if answered:
            await calls.told(AdviserNumberSaid)
        site.fake.hangup(caller)
        await calls.ended()
        assert not any(track.exists() for track in tracks)
        assert len(calls.of(RecordingLost)) == answered  # there was no sound on the fake


async def test_nobody_is_told_a_worse_place_by_the_next_controller(site: Site) -> None:
    site.line = msgspec.structs.replace(LINE, queues={**LINE.queues, "cards": LINE.queues["general"]})
    async with site.controller() as first:
        await waiting(first)
        second = await waiting(first, number="13800002222")
        await first.until(lambda: [told.position for told in first.of(PositionSaid) if told.call_id == second] == [2])
        await first.journal.flush()
    kept = site.journal()
    call = kept.get(f"call/{second}", KeptCall)
    assert call
    assert call.told == Told(2)
    kept.put(f"call/{second}", msgspec.structs.replace(call, told=Told(1)))  # as if it had been told better
    await kept.close()
    async with site.controller() as calls:
        await calls.told(PositionSaid)
        await eventually(lambda: all(leg.music for leg in site.fake.legs.values()))
        assert [told.call_id for told in calls.of(PositionSaid) if told.call_id == second] == []


async def test_a_menu_is_begun_again(site: Site) -> None:
    async with site.controller() as first:
        caller = await in_menu(first)
    async with site.controller() as calls:
        await calls.until(lambda: "main" in calls.watch.asked)
        site.fake.hangup(caller)
        end = await calls.ended()

        assert (end.outcome, end.step) == ("abandoned_menu", "menu")


@pytest.mark.parametrize("come", [in_notice, waiting_told], ids=["the notice", "the word at the start of a wait"])
async def test_a_sentence_that_the_last_controller_began_is_ended(
    site: Site, come: Callable[[Calls], Awaitable[str]]
) -> None:
    async with site.controller() as first:
        caller = await come(first)
        (begun,) = [playback.id for playback in site.fake.legs[caller].playing]
    site.fake.lasting.clear()
    async with site.controller() as calls:
        await eventually(lambda: begun not in [playback.id for playback in site.fake.legs[caller].playing])
        site.fake.hangup(caller)
        await calls.ended()


@pytest.mark.parametrize("come", [rating, closing])
async def test_after_the_conversation_there_is_only_the_goodbye(
    site: Site, come: Callable[[Calls], Awaitable[str]]
) -> None:
    async with site.controller() as first:
        caller = await come(first)
    async with site.controller() as calls:
        await eventually(lambda: step(calls, caller) == "closing" and said_last(calls, "goodbye"))
        site.fake.hangup(caller)
        end = await calls.ended()

        assert (end.outcome, end.step) == ("queued", "closing")


@pytest.mark.parametrize("where", ["menu", "queue", "ringing", "talking"])
async def test_a_call_that_ended_while_nobody_looked_gets_its_end(site: Site, where: str) -> None:
    async with site.controller() as first:
        caller = await STEPS[where][0](first)
    for name in [*site.fake.legs]:
        site.fake.hangup(name)
    async with site.controller() as calls:
        end = await calls.ended()

        assert (end.call_id, end.ended_by, end.step) == (caller, "caller", where)
        assert end.outcome == ("abandoned_menu" if where == "menu" else "queued")
        left = {"queue": ["abandoned_waiting"], "ringing": ["abandoned_ringing"]}.get(where, [])
        assert [fact.outcome for fact in calls.of(QueueLeft)] == left
        assert [fact.ended_by for fact in calls.of(ConversationEnded)] == (["caller"] if where == "talking" else [])


# Asterisk dies


@pytest.mark.parametrize("where", STEPS)
async def test_whom_a_dying_asterisk_drops_is_owed_a_call(calls: Calls, where: str) -> None:
    caller = await STEPS[where][0](calls)
    await calls.fake.die()
    end = await calls.ended()

    assert (end.call_id, end.ended_by, end.step) == (caller, "fault", where)
    [owed] = calls.of(CallbackOwed)
    assert (owed.call_id, owed.calling_number, owed.why) == (caller, f"+86{CALLING}", "asterisk_died")
    assert owed.queue == (None if where in ("notice", "menu") else "cards")
    assert {seat.state for seat in calls.floor.engine.seats()} <= {"ready", "not_ready", "logged_out", "wrap_up"}
    assert calls.of(SeatDidNotAnswer) == []  # no seat is to blame


@pytest.mark.parametrize("where", STEPS)
async def test_whom_asterisk_dropped_while_nobody_looked_is_owed_a_call(site: Site, where: str) -> None:
    async with site.controller() as first:
        caller = await STEPS[where][0](first)
    await site.fake.die()
    async with site.controller() as calls:
        end = await calls.ended()

        assert (end.call_id, end.ended_by, end.step) == (caller, "fault", where)
        assert [owed.call_id for owed in calls.of(CallbackOwed)] == [caller]


@pytest.mark.parametrize("dies", [True, False])
async def test_a_request_that_asterisk_does_not_answer_ends_the_call_when_it_answers_again(
    calls: Calls, dies: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(session, "LAST_EVENT_S", 0.05)
    monkeypatch.setattr(session, "ASK_AGAIN_S", 0.05)
    caller = await in_menu(calls)
    calls.fake.deaf = True
    calls.fake.dtmf(caller, "9")
    hang_up: tuple[str, str, dict[str, str]] = ("DELETE", f"/channels/{caller}", {})
    await eventually(lambda: calls.fake.requests.count(hang_up) > 2)
    assert calls.of(CallEnded) == []
    if dies:
        await calls.fake.die()
    calls.fake.deaf = False
    end = await calls.ended()

    assert (end.call_id, end.ended_by, end.step) == (caller, "fault", "menu")
    assert [owed.call_id for owed in calls.of(CallbackOwed)] == [caller] * dies
    out = capsys.readouterr().out
    assert "a call cannot go on" in out
    assert "Traceback" not in out


@pytest.mark.parametrize("come", [ringing, talking], ids=["a ringing leg", "a leg and a bridge"])
async def test_what_a_call_leaves_is_cleared_away_when_asterisk_answers_again(
    calls: Calls, come: Callable[[Calls], Awaitable[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (legs, ending):
        monkeypatch.setattr(module, "ASK_AGAIN_S", 0.05)
    caller = await come(calls)
    left = {calls.leg(), *calls.fake.bridges}
    calls.fake.deaf = True
    calls.fake.hangup(caller)
    await eventually(lambda: sum(method == "DELETE" for method, _, _ in calls.fake.requests) > 5)
    assert left == calls.fake.legs.keys() | calls.fake.bridges.keys()
    calls.fake.deaf = False
    await calls.ended()


async def test_a_free_seat_is_for_who_waited_longest_under_the_next_controller_too(site: Site) -> None:
    async with site.controller() as first:
        await waiting(first, key="0")
        earlier = await waiting(first, key="0")
        session_of_it = first.node.sessions[earlier]
        session_of_it.keep(since_ms=session_of_it.kept.since_ms - 60_000)
        first.journal.put(f"seat/{SEAT}", KeptSeat(ADVISER, "ready"))
        await first.journal.flush()
    async with site.controller() as calls:
        assert (await calls.told(SeatOffered)).call_id == earlier
        for caller in tuple(calls.node.sessions):
            site.fake.hangup(caller)
        await calls.told(CallEnded, 2)


async def test_a_call_that_the_dialplan_holds_comes_back_by_itself(site: Site) -> None:
    async with site.controller() as first:
        caller = await waiting(first)
    leg = site.fake.legs[caller]
    leg.in_stasis = leg.music = False
    async with site.controller() as calls:
        assert calls.of(CallEnded) == []
        site.fake.enter(leg, ("back",))
        await eventually(lambda: leg.music)
        site.fake.hangup(caller)

        assert (await calls.ended()).outcome == "queued"


async def test_a_call_whose_line_is_gone_is_ended(site: Site) -> None:
    async with site.controller() as first:
        caller = await waiting(first)
    site.line = msgspec.structs.replace(LINE, number="12345")
    async with site.controller() as calls:
        end = await calls.ended()

        assert (end.call_id, end.outcome, end.ended_by) == (caller, "queued", "fault")


async def test_what_nobody_knows_is_cleared_away_and_a_missed_arrival_is_taken(site: Site) -> None:
    fake = site.fake
    seat = fake.make_leg("leg-of-nobody", f"PJSIP/seat{SEAT}", in_stasis=True)
    fake.make_leg("unknown", "PJSIP/trunk-city", in_stasis=True)
    missed = fake.make_leg("missed", "PJSIP/trunk-city", caller=CALLING, in_stasis=True)
    missed.variables.update({"DIALLED": "12333", "REXIAN_TRUNK": "city", "CDR(sipcallid)": "sip-missed"})
    foreign = fake.elsewhere()
    async with site.controller() as first:
        bridge = await first.node.ari.bridges.create(type="mixing")
        await first.node.ari.bridges.add_channel(bridge.id, "missed")
        await first.told(CallArrived)
        assert seat.channel.id not in fake.legs
    async with site.controller() as calls:
        await calls.until(lambda: "main" in calls.watch.asked)
        assert set(fake.legs) == {"missed", foreign}
        assert fake.bridges == {}
        fake.hangup("missed")
        fake.hangup(foreign)
        end = await calls.ended()

        assert end.call_id == "missed"
        assert calls.of(CallArrived) == []


async def test_a_seat_that_answers_unheard_is_connected(calls: Calls) -> None:
    caller = await ringing(calls)
    await drop(calls, lambda: calls.fake.pick_up(calls.leg()))
    await calls.told(SeatAnswered)
    calls.fake.hangup(caller)
    await calls.ended()


async def test_a_call_that_arrives_unheard_is_taken(calls: Calls) -> None:
    def arrive() -> None:
        leg = calls.fake.legs[calls.dial()]
        leg.variables.update({"DIALLED": "12333", "REXIAN_TRUNK": "city", "CDR(sipcallid)": "sip-1"})

    await drop(calls, arrive)
    arrival = await calls.told(CallArrived)
    calls.fake.hangup(arrival.call_id)
    await calls.ended()

    assert len(calls.of(CallArrived)) == 1


async def test_a_call_that_is_found_and_then_announced_is_one_call(calls: Calls) -> None:
    caller = calls.dial()
    calls.fake.enter(calls.fake.legs[caller], ("in", "12333", "city", "sip-1"))
    await calls.until(lambda: "main" in calls.watch.asked)
    calls.fake.hangup(caller)
    await calls.ended()

    assert len(calls.of(CallArrived)) == 1


async def test_what_rings_for_nobody_is_ended_before_anybody_is_offered_the_seat(site: Site) -> None:
    async with site.controller() as first:
        caller = await ringing(first)
        old = first.leg()
    site.fake.requests.clear()
    async with site.controller() as calls:
        await calls.told(SeatOffered)
        await eventually(lambda: any(leg.endpoint == f"PJSIP/seat{SEAT}" for leg in site.fake.legs.values()))
        asked = [(method, path) for method, path, _ in site.fake.requests]
        gone = asked.index(("GET", f"/channels/{old}"))

        assert calls.leg() != old
        assert asked.index(("DELETE", f"/channels/{old}")) < gone < asked.index(("POST", f"/channels/{calls.leg()}"))
        site.fake.hangup(caller)
        await calls.ended()
