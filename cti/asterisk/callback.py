"""Calling somebody back (回拨): their turn in the queue, a seat that answers, then the citizen is rung for that adviser.

The adviser comes first, so nobody who answers the telephone is kept waiting, and a call goes out only when a seat has come
free for it. What is lost with a controller before the citizen has answered begins again at the same place.
"""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, suppress
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import msgspec

from calls.clock import Clock, Instant, ms_between
from calls.errors import NotPossible
from calls.facts import CallbackBegun, CallbackTried, NotReached, QueueEntered
from cti.asterisk.conversation import forget_seat
from cti.asterisk.errors import AriError
from cti.asterisk.kept import Attempt, KeptCall, visit_begins
from cti.asterisk.leg import NORMAL, DidNotAnswerError, Leg, Phone
from cti.asterisk.playing import RINGING_TONE
from cti.asterisk.promises import Promise
from cti.asterisk.seated import Seated
from cti.asterisk.waiting import ring
from cti.floor import Place
from ivr.line import Line
from queues import Calling, ConversationOver, Propose

if TYPE_CHECKING:
    from cti.asterisk.session import Session


def begin_attempt(
    promise: Promise,
    line: Line,
    clock: Clock,
    boot: str,
    preferred: str | None,
    seat: str | None = None,
    follow_up: str | None = None,
) -> tuple[KeptCall, CallbackBegun, QueueEntered]:
    """The first step of an attempt, and its first facts: it joins the queue at the place that was kept."""
    call_id, number = uuid4().hex, promise.attempts + 1
    needs = promise.needs or msgspec.structs.replace(line.needs(line.person), urgency="promised")
    needs = msgspec.structs.replace(needs, preferred=needs.preferred or preferred)
    kept = KeptCall(
        call_id=call_id,
        sip_call_id=call_id,
        calling_number=promise.calling_number,
        line=line.number,
        trunk=promise.trunk,
        boot_id=boot,
        arrived_ms=round(clock.now() * 1000),
        arrived_at=clock.utc(),
        step="queue",
        queued=True,
        visits=1,
        visit_open=True,
        needs=needs,
        since_ms=promise.since_ms,
        place_of=promise.visit,
        callback=Attempt(promise.call_id, number, seat, follow_up=follow_up),
    )
    begun = CallbackBegun(
        call_id=call_id,
        callback_of=promise.call_id,
        attempt=number,
        line=line.number,
        line_version=line.version,
        trunk=promise.trunk,
        calling_number=promise.calling_number,
    )
    return kept, begun, visit_begins(call_id, 1, needs, promise.since_ms, place_of=promise.visit)


async def call_back(call: Session, undo: AsyncExitStack, line: Line) -> Seated | None:
    """From waiting for the turn to the citizen's answer; None when it came to nothing, which is told."""
    seated = await _wait(call, undo)
    if seated is None:
        call.leave_queue("withdrawn", step="closing")
    elif await _reach(call, undo, seated, line):
        await call.caller.say("callback.greeting", skippable=False)
        return seated
    return None


async def _wait(call: Session, undo: AsyncExitStack) -> Seated | None:
    """The seat that answers, in the turn of the first wait; None when there is no need of it any more."""
    floor, needs = call.node.floor, call.kept.needs
    assert needs is not None, "an attempt begins with a place in a queue"
    since, attempt = Instant(call.kept.since_ms / 1000), call.kept.callback
    undo.callback(floor.leave, call.visit)
    place: Place | None = None
    if attempt and attempt.seat:
        with suppress(NotPossible):  # the seat is busy by now: then it is anybody's, and the next one's
            place = floor.redial(attempt.seat, call.visit, needs, since)
    theirs = attempt is not None and attempt.follow_up is not None
    if place is None and theirs:  # whoever promised it calls again when they can
        return None
    place = place or floor.enter(call.visit, needs, since, returned=True, away=True)
    while not call.node.must_refuse and (proposal := await _proposal(call, place)):
        if seated := await ring(call, undo, proposal):
            return seated
        if theirs:
            break
    floor.leave(call.visit)
    return None


async def _proposal(call: Session, place: Place) -> Propose | None:
    """The next seat; None when the attempt is withdrawn."""
    withdrawn = asyncio.create_task(call.withdrawn.wait())
    try:
        waited_for: set[asyncio.Future[Any]] = {place.next_offer, withdrawn}
        await asyncio.wait(waited_for, return_when=asyncio.FIRST_COMPLETED)
        return None if withdrawn.done() else place.taken_up()
    finally:
        withdrawn.cancel()


async def _reach(call: Session, undo: AsyncExitStack, seated: Seated, line: Line) -> bool:
    """Ring the citizen until they answer, the adviser has left, or it is no use. Whether they answered."""
    proposal, began = seated.proposal, call.clock.now()
    call.node.floor.take(Calling(proposal.seat, proposal.generation))
    citizen = call.citizen(undo)
    telling = asyncio.create_task(_ringing(call, seated.leg))
    leaving = asyncio.create_task(seated.leg.ended())
    ringing = asyncio.create_task(_ring(call, citizen, line))
    tasks: tuple[asyncio.Task[object], ...] = (telling, leaving, ringing)
    try:
        await asyncio.wait({leaving, ringing}, return_when=asyncio.FIRST_COMPLETED)
        reason: NotReached | None = ringing.result() if ringing.done() else "adviser_left"
        lost = leaving.done() and leaving.result() != NORMAL
        hung_up = leaving.done() and not lost
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    _tell_tried(call, seated, reason, began)
    if reason is None:
        return True
    if not leaving.done() or leaving.cancelled():
        with suppress(AriError):
            await call.person(seated.leg.channel).say("callback.not_reached")
    call.node.floor.take(ConversationOver(proposal.seat, call.visit, lost, hung_up))
    return False


def _tell_tried(call: Session, seated: Seated, reason: NotReached | None, began: Instant) -> None:
    """What came of it, the promise's state, and the turn of the call, in one commit."""
    attempt = call.kept.callback
    assert attempt is not None, "only an attempt rings a citizen"
    tried = CallbackTried(
        call_id=call.call_id,
        callback_of=attempt.callback_of,
        attempt=attempt.number,
        seat=seated.proposal.seat,
        adviser=seated.proposal.adviser,
        reached=reason is None,
        reason=reason,
        rang_ms=ms_between(began, call.clock.now()),
    )
    with call.node.journal.together():
        call.node.promises.tried(call.kept, reached=reason is None, counts=reason != "adviser_left")
        if reason is None:
            call.turn(tried, callback=call.kept.answered().callback)
        else:
            forget_seat(call, seated)
            call.leave_queue("not_reached", tried, step="closing")


async def _ring(call: Session, citizen: Leg, line: Line) -> NotReached | None:
    """None when the citizen answers."""
    way = call.node.promises.way(call.kept.calling_number, call.kept.trunk)
    if way is None or line.callback is None:
        return "unreachable"
    call.keep(step="calling")
    call.counts()
    try:
        await citizen.ring(Phone(way), ("to-citizen", "s"), line.callback.ring_s, line.number)
    except DidNotAnswerError as error:
        return error.reason
    return None


async def _ringing(call: Session, leg: Leg) -> None:
    """What the adviser hears meanwhile; whether it can be heard is no matter for the call."""
    with suppress(AriError):
        adviser = call.person(leg.channel)
        await adviser.say("callback.adviser", skippable=False)
        await adviser.hear(RINGING_TONE)
