"""Waiting for a seat: the place in the queue, and the ringing of the seats that the engine proposes.

What is heard meanwhile is in `announcing.py`; whoever asks there to be called back is promised it here, and waits no more.
"""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

import msgspec

from calls.clock import Instant, ms_between
from calls.facts import QueueEntered, SeatDidNotAnswer, SeatOffered
from calls.words import Needs
from cti.asterisk.announcing import announce
from cti.asterisk.config import seat_endpoint
from cti.asterisk.leg import DidNotAnswerError, Leg
from cti.asterisk.places import KeptPlace, take_place
from cti.asterisk.playing import silence
from cti.asterisk.promises import Promise
from cti.floor import Place
from queues import NotAnswered, Propose

if TYPE_CHECKING:
    from cti.asterisk.session import Session

SILENCE_S = 0.5
"""Nothing is said before while a seat rings: whom it answers at once need not hear that one is looked for."""

UNRECORDED = "unrecorded"
"""In place of a track's name in the dialplan: a leg of which nothing is recorded."""


class Seated(msgspec.Struct, frozen=True):
    """A seat has picked up for this caller; they are not connected yet."""

    proposal: Propose
    leg: Leg
    started_ms: int
    """Monotonic; the first moment of the leg's recording."""
    rang_ms: int
    unrecorded: str | None
    """Why this conversation is not recorded; None when it is."""


async def wait_for_seat(
    call: Session, undo: AsyncExitStack, needs: Needs, since: Instant, *, returned: bool, resumed: bool
) -> Seated | None:
    """Join the queue and wait until a seat picks up; None when the caller was told why nobody can take the call.

    `resumed`: under another controller, whose last sentence is ended once the place is taken.
    """
    if needs.preferred is None:
        needs = msgspec.structs.replace(needs, preferred=call.node.advisers.get(call.kept.calling_number))
    since, kept = _open_visit(call, needs, since, returned)
    place = call.node.floor.enter(call.visit, needs, since, returned=returned, kept=kept)
    undo.callback(call.node.floor.leave, call.visit)
    if resumed:
        await silence(call.ari, call.call_id)
    if place.turned_away:
        call.leave_queue(place.turned_away, step="closing")
        await call.caller.say(f"queue.{place.turned_away}", skippable=False)
        return None
    announcing = asyncio.create_task(announce(call, place, silent_s=SILENCE_S if place.offered else 0.0))
    asks = False
    try:
        while not (call.node.must_refuse or asks):
            if proposal := await _next(place, announcing):
                if seated := await ring(call, undo, proposal):
                    return seated
            else:
                asks = True
    finally:
        announcing.cancel()
        await asyncio.gather(announcing, return_exceptions=True)
    call.node.floor.leave(call.visit)
    if asks:
        await _promise(call)
    else:
        call.leave_queue("fault", step="closing")
        await call.caller.say("queue.unrecorded", skippable=False)
    return None


async def _next(place: Place, announcing: asyncio.Task[bool]) -> Propose | None:
    """The next seat; None when the caller would rather be called back, and there is none at this moment."""
    proposed = asyncio.create_task(place.proposal())
    try:
        await asyncio.wait({proposed, announcing}, return_when=asyncio.FIRST_COMPLETED)
        if not proposed.done() and announcing.result():
            return None
        return await proposed
    finally:
        proposed.cancel()


async def _promise(call: Session) -> None:
    """The place waits on without the caller. It is said to be noted once it is."""
    with call.node.journal.together():
        call.leave_queue("callback", step="closing")
        call.node.promises.owe(call.kept, "asked", promised=True)
    noted = await call.on_disk()
    await call.caller.say("callback.promised" if noted else "busy.later", skippable=False)


def _open_visit(call: Session, needs: Needs, since: Instant, returned: bool) -> tuple[Instant, bool]:
    """A visit begins, unless the last controller began it already; from when its wait counts, and if that place was kept."""
    if returned and call.kept.visit_open:
        call.keep(step="queue")
        return since, call.kept.place_of is not None
    visits, number = call.kept.visits + 1, call.kept.calling_number
    with call.node.journal.together():
        if not returned:
            since = _take_up(call, since, take_place(call.node.places, number, needs.queue))
            since = _take_up(call, since, call.node.promises.rang_again(call.call_id, number, needs.queue))
        since_ms = round(since * 1000)
        entered = QueueEntered(
            call_id=call.call_id,
            visit=f"{call.call_id}.{visits}",
            queue=needs.queue,
            skills=needs.skills,
            since_ms=since_ms,
            returned=returned,
            urgency=needs.urgency,
            language=needs.language,
            site=needs.site,
            place_of=None if returned else call.kept.place_of,
            preferred=needs.preferred,
        )
        call.turn(entered, step="queue", queued=True, visits=visits, visit_open=True, needs=needs, since_ms=since_ms)
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
    leg = call.leg(undo)
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
    )
    call.turn(offered, step="ringing")
    began = call.clock.now()
    try:
        endpoint = seat_endpoint(proposal.seat)
        await leg.ring(endpoint, ("to-seat", track), call.node.settings.ring_s, call.kept.calling_number)
    except DidNotAnswerError as error:
        missed = SeatDidNotAnswer(
            call_id=call.call_id,
            visit=proposal.visit,
            seat=proposal.seat,
            adviser=proposal.adviser,
            reason=error.reason,
            rang_ms=ms_between(began, call.clock.now()),
        )
        call.turn(missed, step="queue")
        call.node.floor.take(NotAnswered(proposal.seat, proposal.generation, error.reason))
        return None
    return Seated(proposal, leg, call.now_ms(), ms_between(began, call.clock.now()), unrecorded)
