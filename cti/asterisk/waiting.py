"""Waiting for a seat: the place in the queue, what is heard there, and the ringing of the seats that the engine proposes."""

from __future__ import annotations

import asyncio
import math
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, NamedTuple

import msgspec
import structlog

from calls.clock import Instant, ms_between
from calls.facts import PositionSaid, QueueEntered, SeatDidNotAnswer, SeatOffered
from calls.words import Needs
from cti.asterisk.errors import AriError, Gone, NotInStasis
from cti.asterisk.places import take_place
from cti.asterisk.playing import silence
from cti.asterisk.seatleg import SeatDidNotAnswerError, SeatLeg
from cti.floor import Place
from queues import NotAnswered, Propose

if TYPE_CHECKING:
    from cti.asterisk.session import Session

log = structlog.get_logger(__name__)

SILENCE_S = 0.5
"""Nothing is said before while a seat rings: whom it answers at once need not hear that one is looked for."""

LONGEST_TOLD_MIN = 60
"""Nobody is told of a longer wait: an estimate that far says no more than that it will be long."""

UNRECORDED = "unrecorded"
"""In place of a track's name in the dialplan: a leg of which nothing is recorded."""


class Told(NamedTuple):
    """What a caller was told last; None: nothing yet."""

    position: int | None = None
    minutes: int | None = None


class Seated(msgspec.Struct, frozen=True):
    """A seat has picked up for this caller; they are not connected yet."""

    proposal: Propose
    leg: SeatLeg
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
    since = _open_visit(call, needs, since, returned)
    kept = call.kept.place_of is not None
    place = call.node.floor.enter(call.visit, needs, since, returned=returned, kept=kept)
    undo.callback(call.node.floor.leave, call.visit)
    if resumed:
        await silence(call.ari, call.call_id)
    if place.turned_away:
        call.leave_queue(place.turned_away, step="closing")
        await call.caller.say(f"queue.{place.turned_away}", skippable=False)
        return None
    announcing = asyncio.create_task(_announce(call, place, silent_s=SILENCE_S if place.offered else 0.0))
    try:
        while not _must_refuse(call):
            if seated := await _ring(call, undo, await place.proposal()):
                return seated
    finally:
        announcing.cancel()
        await asyncio.gather(announcing, return_exceptions=True)
    call.node.floor.leave(call.visit)
    call.leave_queue("fault", step="closing")
    await call.caller.say("queue.unrecorded", skippable=False)
    return None


def _must_refuse(call: Session) -> bool:
    """Whether no conversation may begin, because none could be recorded."""
    return call.node.settings.unrecorded == "refuse" and call.node.recorder.cannot_record is not None


def _open_visit(call: Session, needs: Needs, since: Instant, returned: bool) -> Instant:
    """A visit begins, unless the last controller began it already; from when its wait counts."""
    if returned and call.kept.visit_open:
        call.keep(step="queue")
        return since
    visits = call.kept.visits + 1
    with call.node.journal.together():
        number = call.kept.calling_number
        if place := None if returned else take_place(call.node.places, number, needs.queue):
            since = place.since
            call.keep(place_of=place.visit)
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
            place_of=place.visit if place else None,
            preferred=needs.preferred,
        )
        call.turn(entered, step="queue", queued=True, visits=visits, visit_open=True, needs=needs, since_ms=since_ms)
    return since


async def _announce(call: Session, place: Place, silent_s: float) -> None:
    """What a waiting caller hears: a word at the start, the place in the queue whenever it is better, and music.

    The music is the channel's own: a holding bridge's stays silent for everybody after its last caller has left. Whatever
    is said ends it, so it begins again afterwards; the adviser's number ends it for good. Until then it goes on, also when
    a sentence is cut off by the seat: a controller that dies or stalls in this instant leaves no silence.
    """
    try:
        await asyncio.sleep(silent_s)
        await call.caller.say_into_music("queue.kept" if call.kept.place_of else "queue.enter")
        said = await _say_position(call, place, Told())
        while True:
            await asyncio.sleep(call.node.settings.position_every_s)
            said = await _say_position(call, place, said)
    except (Gone, NotInStasis):
        return  # the caller left in this instant, which the call learns by itself
    except AriError as error:  # the call goes on waiting; it is only less well told
        log.warning("a waiting caller cannot be spoken to", error=str(error))


async def _say_position(call: Session, place: Place, said: Told) -> Told:
    """Say place and expected wait as far as they are better than what was `said` last; what was said last now.

    Neither is ever told to have become worse: an urgent caller may pass, and an estimate may rise.
    """
    position, expected = place.position, place.expected
    if position is None:
        return said
    minutes = max(1, min(LONGEST_TOLD_MIN, math.ceil(expected.p50_s / 60))) if expected else None
    better = said.position is None or position < said.position
    sooner = minutes is not None and (said.minutes is None or minutes < said.minutes)
    if not (better or sooner):
        return said
    told = PositionSaid(
        call_id=call.call_id,
        visit=call.visit,
        position=position,
        expected_p50_ms=round(expected.p50_s * 1000) if expected else None,
        expected_p90_ms=round(expected.p90_s * 1000) if expected else None,
        minutes=minutes if sooner else None,
    )
    call.record(told)
    keys = ["queue.position"] if better else []
    if sooner:
        keys.append("queue.expected.one" if minutes == 1 else "queue.expected")
    await call.caller.say_into_music(*keys, number=position, minutes=minutes or 0)
    return Told(position if better else said.position, minutes if sooner else said.minutes)


async def _ring(call: Session, undo: AsyncExitStack, proposal: Propose) -> Seated | None:
    """Ring the proposed seat; None when it did not answer and the caller waits on, at the same place."""
    if _must_refuse(call) or not call.node.floor.accept(proposal):
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
        await leg.ring(proposal.seat, track, call.node.settings.ring_s, call.kept.calling_number)
    except SeatDidNotAnswerError as error:
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
