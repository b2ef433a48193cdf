"""Waiting for a seat: the place in the queue, and the ringing of the seats that the engine proposes.

What is heard meanwhile is in `announcing.py`; whoever asks there to be called back is promised it here, and waits no more.
"""

from __future__ import annotations

import asyncio
from asyncio import FIRST_COMPLETED
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from calls.clock import Instant, ms_between
from calls.facts import SeatDidNotAnswer, SeatOffered
from calls.words import Needs, Urgency
from cti.asterisk.announcing import announce
from cti.asterisk.conversation import end_attempt
from cti.asterisk.kept import Rung, Told, visit_begins
from cti.asterisk.leg import DidNotAnswerError
from cti.asterisk.places import KeptPlace, take_place
from cti.asterisk.playing import silence
from cti.asterisk.promises import Promise
from cti.asterisk.seated import UNRECORDED, Seated
from cti.floor import Place
from ivr.line import Overflow
from ivr.services import VOICE_MESSAGE, use
from queues import NotAnswered, Propose
from queues.policy import HEAD_START_S

if TYPE_CHECKING:
    from cti.asterisk.session import Session

SILENCE_S = 0.5
"""Nothing is said before while a seat rings: whom it answers at once need not hear that one is looked for."""

Why = Literal["asks", "too_long", "full", "no_seat", "unrecorded"]
"""Why a caller does not wait here any more. `asks`: to be called back."""

AFTER_CRISIS: Urgency = "urgent"
"""Of whoever calls again within a day of a call that was a crisis."""


async def wait_for_seat(
    call: Session, undo: AsyncExitStack, needs: Needs, since: Instant, *, returned: bool, resumed: bool
) -> Seated | None:
    """Join the queue and wait until a seat picks up; None when the caller was told why nobody can take the call.

    `resumed`: under another controller, whose last sentence is ended once the place is taken.
    """
    if needs.preferred is None:
        needs = msgspec.structs.replace(needs, preferred=call.node.advisers.get(call.kept.calling_number))
    if call.kept.crisis_before and HEAD_START_S[needs.urgency] < HEAD_START_S[AFTER_CRISIS]:
        needs = msgspec.structs.replace(needs, urgency=AFTER_CRISIS)
    rang = call.kept.step == "ringing"
    since, kept = _open_visit(call, needs, since, returned)
    place = call.node.floor.enter(call.visit, needs, since, returned=returned, kept=kept)
    undo.callback(call.node.floor.leave, call.visit)
    if resumed:
        await silence(call.ari, call.call_id)
        if rang:
            await end_attempt(call, undo)
    if place.turned_away:
        return await _elsewhere(call, undo, needs, since, place.turned_away)
    announcing = asyncio.create_task(announce(call, place, silent_s=SILENCE_S if place.offered else 0.0))
    why: Why = "unrecorded"
    try:
        while not call.node.must_refuse:
            found = await _next(call, place, announcing, needs, since)
            if not isinstance(found, Propose):
                why = found
                break
            if seated := await ring(call, undo, found):
                return seated
    finally:
        announcing.cancel()
        await asyncio.gather(announcing, return_exceptions=True)
    call.node.floor.leave(call.visit)
    return await _elsewhere(call, undo, needs, since, why)


async def _next(
    call: Session, place: Place, announcing: asyncio.Task[bool], needs: Needs, since: Instant
) -> Propose | Literal["asks", "too_long"]:
    """The next seat; or, while there is none: the caller would rather be called back, or has waited too long here."""
    speaking = True
    while not place.offered:
        waited_for: set[asyncio.Future[Any]] = {place.next_offer, announcing} if speaking else {place.next_offer}
        done, _ = await asyncio.wait(waited_for, timeout=_rest_s(call, needs, since), return_when=FIRST_COMPLETED)
        if not done:
            return "too_long"
        if announcing in done and not place.offered:
            if announcing.result():
                return "asks"
            speaking = False  # nobody can speak to the caller, who waits on all the same
    return place.taken_up()


def _rest_s(call: Session, needs: Needs, since: Instant) -> float | None:
    """How long the caller may still wait in this queue; None: as long as they like."""
    overflow = _overflow(call, needs)
    return max(0.0, since + overflow.after_s - call.clock.now()) if overflow and overflow.after_s else None


def _overflow(call: Session, needs: Needs) -> Overflow | None:
    """Where the caller may go from this queue; None also when that is to be called back, and there is no way."""
    queue = call.line.queues.get(needs.queue)
    overflow = queue.overflow if queue else None
    if overflow and overflow.callback and call.node.promises.way(call.kept.calling_number, call.kept.trunk) is None:
        return None
    return overflow


async def _elsewhere(call: Session, undo: AsyncExitStack, needs: Needs, since: Instant, why: Why) -> Seated | None:
    """The caller cannot wait here, or no longer: another queue, a promise, a voice message, or the honest word."""
    overflow = None if why in ("asks", "unrecorded") else _overflow(call, needs)
    if why == "asks":
        await _promise(call, "callback.promised")
    elif overflow and overflow.to:
        call.leave_queue("overflow")
        return await wait_for_seat(call, undo, call.line.needs(overflow.to), since, returned=False, resumed=False)
    elif overflow and overflow.message:
        call.leave_queue("message", step="closing")
        await call.caller.say("busy.message")
        await use(VOICE_MESSAGE, call.window(needs.queue))
    elif overflow:
        await _promise(call, "busy.callback")
    else:
        call.leave_queue("full" if why == "full" else "no_seat" if why == "no_seat" else "fault", step="closing")
        await call.caller.say(f"queue.{why}", skippable=False)
    return None


async def _promise(call: Session, words: str) -> None:
    """The place waits on without the caller. It is said to be noted once it is."""
    with call.node.journal.together():
        call.leave_queue("callback", step="closing")
        promised = call.node.promises.owe(call.kept, "asked", promised=True)
    noted = promised and await call.on_disk()  # a new file may have taken it out of the line meanwhile
    await call.caller.say(words if noted else "busy.later", skippable=False)


def _open_visit(call: Session, needs: Needs, since: Instant, returned: bool) -> tuple[Instant, bool]:
    """A visit begins, unless the last controller began it already; from when its wait counts, and if that place was kept."""
    if returned and call.kept.visit_open:
        call.keep(step="queue", rung=None)
        return since, call.kept.place_of is not None
    visits, number = call.kept.visits + 1, call.kept.calling_number
    with call.node.journal.together():
        if not returned:
            since = _take_up(call, since, take_place(call.node.places, number, needs.queue))
            since = _take_up(call, since, call.node.promises.rang_again(call.call_id, number, needs.queue))
        since_ms = round(since * 1000)
        place_of = None if returned else call.kept.place_of
        entered = visit_begins(call.call_id, visits, needs, since_ms, returned=returned, place_of=place_of)
        began = {"visits": visits, "visit_open": True, "needs": needs, "since_ms": since_ms, "told": Told()}
        call.turn(entered, step="queue", queued=True, **began)
    return since, call.kept.place_of is not None


def _take_up(call: Session, since: Instant, before: KeptPlace | Promise | None) -> Instant:
    """Wait on from where this number waited before, if that is earlier."""
    if before is None or before.since_ms >= since * 1000:
        return since
    if before.visit:
        call.keep(place_of=before.visit)
    return Instant(before.since_ms / 1000)


async def ring(call: Session, undo: AsyncExitStack, proposal: Propose) -> Seated | None:
    """Ring the proposed seat; None when it did not answer and the caller waits on, at the same place."""
    if call.node.must_refuse or not call.node.floor.accept(proposal):
        return None
    leg, phone = call.leg(undo), call.node.telephones.of(proposal.seat)
    unrecorded = call.node.recorder.cannot_record
    track = UNRECORDED if unrecorded else f"{proposal.visit}.seat"
    offered = SeatOffered(
        call_id=call.call_id,
        visit=proposal.visit,
        seat=proposal.seat,
        adviser=proposal.adviser,
        generation=proposal.generation,
        why=proposal.why,
        chosen=proposal.chosen,
        seats_passed=proposal.seats_passed,
        callers_passed=proposal.callers_passed,
        site=proposal.site,
        lent_to=proposal.lent_to,
    )
    call.turn(offered, step="ringing", rung=Rung(proposal.seat, proposal.adviser))
    began = call.clock.now()
    try:
        await leg.ring(phone, ("to-seat", track), call.node.settings.ring_s, call.kept.calling_number)
    except DidNotAnswerError as error:
        missed = SeatDidNotAnswer(
            call_id=call.call_id,
            visit=proposal.visit,
            seat=proposal.seat,
            adviser=proposal.adviser,
            reason=error.reason,
            rang_ms=ms_between(began, call.clock.now()),
        )
        call.turn(missed, step="queue", rung=None)
        call.node.floor.take(NotAnswered(proposal.seat, proposal.generation, error.reason))
        return None
    return Seated(proposal, leg, phone, call.now_ms(), ms_between(began, call.clock.now()), unrecorded)
