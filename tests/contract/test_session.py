"""A call from arrival to its one end, on the fake Asterisk: whatever happens at whatever step, nothing is left behind."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest
import soundfile  # type: ignore[import-untyped]  # it ships no types

from calls.facts import (
    AdviserNumberSaid,
    AlarmRaised,
    CallArrived,
    CallRefused,
    ControllerStarted,
    ConversationEnded,
    PositionSaid,
    QueueEntered,
    QueueLeft,
    RatingKeyed,
    RecordingLost,
    RecordingSealed,
    SeatAnswered,
    SeatDidNotAnswer,
    SeatOffered,
    SeatStateChanged,
    kind_of,
)
from calls.moments import RATING_MENU
from cti.asterisk.errors import NotInStasis, Refused
from cti.asterisk.generated import messages as told
from cti.recorder import Recorder
from tests.contract.hotline_on_fake import (
    ADVISER,
    CALLING,
    LINE,
    OTHER_ADVISER,
    OTHER_SEAT,
    PHONE_GONE,
    SEAT,
    Calls,
    Site,
)
from tests.contract.steps import STEPS, closing, hearing_the_number, in_menu, said_last, step, talking, waiting
from tests.eventually import PATIENCE_S, eventually
from tests.fakes.ari import Phone


def kinds(calls: Calls) -> list[str]:
    """The call's own facts, those of seats aside."""
    return [kind_of(fact) for fact in calls.facts if not isinstance(fact, SeatStateChanged | ControllerStarted)]


# From the beginning to the end


async def test_a_call_goes_from_the_welcome_to_the_rating(calls: Calls) -> None:
    caller = await talking(calls)
    (bridge,) = {calls.fake.legs[name].bridge for name in (caller, calls.leg())}
    assert bridge
    assert not calls.fake.legs[caller].music
    write_tracks(calls, caller)
    leg_ends(calls, calls.leg(), received="77")
    calls.fake.hangup(calls.leg())
    await calls.until(lambda: RATING_MENU in calls.watch.asked)
    calls.fake.dtmf(caller, "5")
    await eventually(lambda: step(calls, caller) == "closing")
    leg_ends(calls, caller, received="99")
    calls.fake.hangup(caller)
    end = await calls.ended()
    sealed = await calls.told(RecordingSealed)

    assert (end.call_id, end.outcome, end.ended_by, end.step) == (caller, "queued", "caller", "closing")
    assert [kind for kind in kinds(calls) if kind != "position_said"] == [
        "call_arrived",
        "notice_heard",
        "menu_step_taken",
        "queue_entered",
        "seat_offered",
        "seat_answered",
        "queue_left",
        "adviser_number_said",
        "conversation_ended",
        "rating_keyed",
        "call_ended",
        "recording_sealed",
    ]
    (arrival,) = calls.of(CallArrived)
    assert (arrival.calling_number, arrival.trunk, arrival.line) == (f"+86{CALLING}", "city", "12333")
    (over,) = calls.of(ConversationEnded)
    assert (over.ended_by, over.seat, over.adviser) == ("seat", SEAT, ADVISER)
    assert calls.of(RatingKeyed)[0].score == 5
    assert (sealed.visit, sealed.left_packets, sealed.right_packets) == (f"{caller}.1", 99, 77)
    assert calls.floor.engine.seat(SEAT).state == "ready"


def write_tracks(calls: Calls, caller: str) -> None:
    """What Asterisk does by itself: both legs of the first visit, each with its tone."""
    for name, hz in (("caller", 440), ("seat", 1000)):
        tone = 0.3 * np.sin(2 * np.pi * hz * np.arange(8000) / 8000)
        soundfile.write(calls.recorder.raw_file(f"{caller}.1.{name}"), tone, 8000, subtype="PCM_16", format="WAV")


def leg_ends(calls: Calls, channel: str, received: str) -> None:
    """What the dialplan tells of a leg in its last moment."""
    leg = calls.fake.legs[channel].channel
    calls.fake.tell(
        told.ChannelUserevent(
            application=calls.fake.app,
            timestamp=calls.fake.now(),
            eventname="leg",
            channel=leg,
            userevent={"received": received, "sent": "1"},
        )
    )


@pytest.mark.parametrize("where", STEPS)
async def test_a_caller_who_hangs_up_leaves_nothing(calls: Calls, where: str) -> None:
    come, outcome, visit = STEPS[where]
    caller = await come(calls)
    calls.fake.hangup(caller)
    end = await calls.ended()

    assert (end.outcome, end.ended_by, end.step) == (outcome, "caller", where)
    assert [left.outcome for left in calls.of(QueueLeft)] == ([visit] if visit else [])
    assert len(calls.of(QueueEntered)) == len(calls.of(QueueLeft))
    assert len(calls.of(ConversationEnded)) == len(calls.of(SeatAnswered))
    if where == "talking":
        assert calls.of(ConversationEnded)[0].ended_by == "caller"


async def test_a_caller_who_stays_on_is_hung_up_in_the_end(calls: Calls) -> None:
    caller = await closing(calls)
    calls.fake.dtmf(caller, "1")
    end = await calls.ended()

    assert (end.outcome, end.ended_by, end.step) == ("queued", "system", "closing")


async def test_a_hang_up_that_overtakes_its_event_is_the_callers(calls: Calls) -> None:
    caller = await in_menu(calls)
    channel = calls.fake.legs.pop(caller).channel
    calls.fake.tell(
        told.ChannelDtmfReceived(
            application=calls.fake.app, timestamp=calls.fake.now(), digit="9", duration_ms=100, channel=channel
        )
    )
    await eventually(lambda: ("DELETE", f"/channels/{caller}", {}) in calls.fake.requests)
    calls.node.router.vanish(caller)
    end = await calls.ended()

    assert (end.outcome, end.ended_by) == ("abandoned_menu", "caller")


# Who is not taken


async def test_a_number_without_a_line_is_refused_at_the_trunk(calls: Calls) -> None:
    caller = calls.dial("12399")
    end = await calls.ended()

    assert (end.call_id, end.outcome, end.ended_by) == (caller, "refused", "system")
    assert calls.of(CallRefused)[0].reason == "no such line"
    assert ("DELETE", f"/channels/{caller}", {"reason_code": "1"}) in calls.fake.requests
    assert calls.of(CallArrived) == []


async def test_a_line_takes_calls_from_its_own_trunks_only(site: Site) -> None:
    site.line = msgspec.structs.replace(LINE, trunks=("province",))
    async with site.controller() as calls:
        calls.dial()
        end = await calls.ended()

        assert end.outcome == "refused"
        assert "does not take calls from this trunk" in calls.of(CallRefused)[0].reason


async def test_a_channel_that_means_nothing_is_cleared_away(calls: Calls) -> None:
    calls.fake.incoming(args=("something", "else"))
    calls.fake.incoming(args=("back",))

    await calls.nothing_left()
    assert kinds(calls) == []


async def test_outside_all_seats_the_caller_is_told_and_not_kept(calls: Calls) -> None:
    caller = await in_menu(calls)
    calls.fake.dtmf(caller, "1")
    left = await calls.told(QueueLeft)
    await eventually(lambda: step(calls, caller) == "closing")
    calls.fake.hangup(caller)
    end = await calls.ended()

    assert left.outcome == "no_seat"
    assert (end.outcome, end.step) == ("queued", "closing")


async def test_one_caller_too_many_is_told_and_the_first_waits_on(calls: Calls) -> None:
    first = await waiting(calls)
    second = await in_menu(calls)
    calls.fake.dtmf(second, "1")
    left = await calls.told(QueueLeft)
    await eventually(lambda: step(calls, second) == "closing")

    assert (left.call_id, left.outcome) == (second, "full")
    assert calls.fake.legs[first].music


# No room to record


@pytest.fixture
def no_room(monkeypatch: pytest.MonkeyPatch) -> str:
    why = "only 3 MB free"
    monkeypatch.setattr(Recorder, "cannot_record", why)
    return why


async def test_a_conversation_without_room_goes_on_and_is_marked(calls: Calls, no_room: str) -> None:
    caller = await talking(calls)
    calls.fake.hangup(caller)
    end = await calls.ended()
    lost = await calls.told(RecordingLost)

    assert (end.outcome, lost.visit, lost.reason) == ("queued", f"{caller}.1", no_room)
    assert calls.of(AlarmRaised) == []


@pytest.mark.parametrize("when", ["coming", "waiting"])
async def test_without_room_a_caller_is_refused_in_words_where_that_is_the_rule(
    calls: Calls, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    calls.node.settings = msgspec.structs.replace(calls.node.settings, unrecorded="refuse")
    if when == "coming":
        monkeypatch.setattr(Recorder, "cannot_record", "only 3 MB free")
        calls.sit()
        caller = await in_menu(calls)
        calls.fake.dtmf(caller, "1")
    else:
        caller = await waiting(calls)
        monkeypatch.setattr(Recorder, "cannot_record", "only 3 MB free")
        calls.sit()
    left = await calls.told(QueueLeft)
    await eventually(lambda: step(calls, caller) == "closing")
    calls.fake.hangup(caller)
    end = await calls.ended()

    assert (left.outcome, end.outcome, end.ended_by) == ("fault", "queued", "caller")
    assert calls.of(SeatOffered) == []
    assert calls.floor.engine.seat(SEAT).state == "ready"


# Seats that do not answer, and places that are kept


async def test_a_place_only_ever_gets_better(calls: Calls) -> None:
    callers = [await waiting(calls, key="0") for _ in range(3)]
    await calls.until(lambda: positions(calls, callers[2]) == [3])
    calls.fake.hangup(callers[0])
    await calls.until(lambda: positions(calls, callers[2]) == [3, 2])
    calls.fake.hangup(callers[1])
    await calls.until(lambda: positions(calls, callers[2]) == [3, 2, 1])
    calls.fake.hangup(callers[2])

    await calls.nothing_left()
    assert [left.outcome for left in calls.of(QueueLeft)] == ["abandoned_waiting"] * 3


def positions(calls: Calls, caller: str) -> list[int]:
    return [fact.position for fact in calls.of(PositionSaid) if fact.call_id == caller]


@pytest.mark.parametrize(("phone", "reason"), [("rings", "no_answer"), ("busy", "busy"), (None, "unreachable")])
async def test_a_seat_that_does_not_answer_costs_the_caller_no_turn(
    calls: Calls, phone: Phone | None, reason: str
) -> None:
    calls.sit(phone=phone or "answers")
    if phone is None:
        del calls.fake.phones[f"PJSIP/seat{SEAT}"]  # Asterisk refuses to call it
    caller = await in_menu(calls)
    calls.fake.dtmf(caller, "1")
    if phone == "rings":
        await eventually(lambda: any(leg.endpoint.endswith(SEAT) for leg in calls.fake.legs.values()))
        calls.fake.no_answer(calls.leg())
    missed = await calls.told(SeatDidNotAnswer)
    calls.sit(OTHER_SEAT, OTHER_ADVISER)
    answered = await calls.told(SeatAnswered)
    calls.fake.hangup(caller)
    await calls.ended()

    assert (missed.seat, missed.reason) == (SEAT, reason)
    assert calls.floor.engine.seat(SEAT).state == "not_ready"
    assert (answered.seat, answered.adviser, answered.visit) == (OTHER_SEAT, OTHER_ADVISER, missed.visit)
    assert len(calls.of(QueueEntered)) == 1
    assert [left.outcome for left in calls.of(QueueLeft)] == ["answered"]


async def test_a_seat_that_vanishes_while_talking_sends_the_caller_to_the_head(calls: Calls) -> None:
    caller = await talking(calls)
    calls.fake.hangup(calls.leg(), PHONE_GONE)
    over = await calls.told(ConversationEnded)
    again = await calls.told(QueueEntered, 2)
    await eventually(lambda: calls.fake.legs[caller].music)
    calls.sit(OTHER_SEAT, OTHER_ADVISER)
    answered = await calls.told(SeatAnswered, 2)
    calls.fake.hangup(caller)
    end = await calls.ended()

    assert over.ended_by == "fault"
    assert calls.floor.engine.seat(SEAT).state == "not_ready"
    assert again.returned
    assert again.since_ms == calls.of(QueueEntered)[0].since_ms
    assert (answered.visit, answered.seat) == (f"{caller}.2", OTHER_SEAT)
    assert (end.outcome, end.step) == ("queued", "talking")


async def test_an_adviser_who_leaves_while_the_number_is_said_costs_the_caller_no_turn(calls: Calls) -> None:
    caller = await hearing_the_number(calls)
    calls.fake.hangup(calls.leg())
    over = await calls.told(ConversationEnded)
    again = await calls.told(QueueEntered, 2)
    calls.fake.hangup(caller)
    end = await calls.ended()

    assert over.ended_by == "seat"
    seat = calls.floor.engine.seat(SEAT)
    assert (seat.state, seat.reason) == ("not_ready", "left_early")  # or the same caller would have it again, and again
    assert again.returned
    assert again.since_ms == calls.of(QueueEntered)[0].since_ms
    assert (end.outcome, end.ended_by) == ("queued", "caller")
    assert calls.of(AdviserNumberSaid) == []


async def test_a_caller_who_leaves_while_the_number_is_said_leaves_nothing(calls: Calls) -> None:
    caller = await hearing_the_number(calls)
    calls.fake.hangup(caller)
    end = await calls.ended()

    assert (end.outcome, end.ended_by, end.step) == ("queued", "caller", "talking")
    assert [over.ended_by for over in calls.of(ConversationEnded)] == ["caller"]
    assert calls.of(AdviserNumberSaid) == []


@pytest.mark.parametrize("operation", ["bridges.add_channel", "channels.play_with_id"])
async def test_a_seat_that_vanishes_as_they_are_brought_together_costs_the_caller_no_turn(
    calls: Calls, monkeypatch: pytest.MonkeyPatch, operation: str
) -> None:
    kind, name = operation.split(".")
    carry_out = getattr(getattr(calls.node.ari, kind), name)
    caller = await in_menu(calls)

    async def too_late(*words: object, **more: object) -> object:
        """For some milliseconds, whoever hung up is there, and no longer in our hands."""
        if words[0] == caller:
            return await carry_out(*words, **more)
        calls.fake.hangup(calls.leg(), PHONE_GONE)
        raise NotInStasis(operation)

    calls.sit()
    monkeypatch.setattr(getattr(calls.node.ari, kind), name, too_late)
    calls.fake.dtmf(caller, "1")
    over = await calls.told(ConversationEnded)
    again = await calls.told(QueueEntered, 2)
    calls.fake.hangup(caller)
    end = await calls.ended()

    assert over.ended_by == "fault"
    assert calls.floor.engine.seat(SEAT).state == "not_ready"
    assert again.returned
    assert (end.outcome, end.ended_by) == ("queued", "caller")


# What fails


async def test_two_who_cannot_be_brought_together_are_not_left_in_silence(
    calls: Calls, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: object, **__: object) -> None:
        raise Refused("broken on purpose")

    monkeypatch.setattr(calls.node.ari.bridges, "add_channel", broken)
    calls.sit()
    caller = await in_menu(calls)
    calls.fake.dtmf(caller, "1")
    end = await calls.ended()

    assert (end.call_id, end.outcome, end.ended_by) == (caller, "queued", "fault")
    assert [over.ended_by for over in calls.of(ConversationEnded)] == ["fault"]
    assert said_last(calls, "fault")


async def test_a_fault_of_ours_is_told_to_the_caller_and_counted(site: Site) -> None:
    site.line = msgspec.structs.replace(LINE, menus={})
    async with site.controller() as calls:
        caller = calls.dial()
        end = await calls.ended()

        assert (end.call_id, end.outcome, end.ended_by, end.step) == (caller, "fault", "fault", "menu")
        assert said_last(calls, "fault")


async def test_a_fault_while_waiting_ends_the_visit(calls: Calls, monkeypatch: pytest.MonkeyPatch) -> None:
    caller = await waiting(calls)

    def broken(_: object) -> bool:
        raise ValueError("broken on purpose")

    monkeypatch.setattr(calls.floor, "accept", broken)
    calls.sit()
    end = await calls.ended()

    assert (end.call_id, end.outcome, end.ended_by) == (caller, "queued", "fault")
    assert [left.outcome for left in calls.of(QueueLeft)] == ["fault"]
    assert said_last(calls, "fault")


async def test_whoever_is_sent_through_the_dialplan_again_at_once_is_back_each_time(calls: Calls) -> None:
    """Two returns within a millisecond are told in the same letters, and would be taken for one."""
    caller = await talking(calls)
    session = calls.node.sessions[caller]
    for _ in range(40):
        await session.through_dialplan("start-recording", "again", within_s=PATIENCE_S)
    calls.fake.hangup(caller)
    await calls.ended()
