"""The way of a call: the notice, the menus, the queue, the adviser, the question, and the goodbye.

Read `_from_the_start` downwards: it is the call; waiting for a seat is in `waiting.py`, talking in `conversation.py`, asking
somebody else in `consulting.py`. A call that we make, to call somebody back, begins in `callback.py` and goes on like any
other once the citizen has answered. Each turn is kept (`kept.py`), and `_resume` goes on from there under another controller.
Who hears what is the line's business (`ivr/`), who speaks to whom the engine's (`queues/`).
"""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

import msgspec

from calls.clock import Instant
from calls.words import Needs
from cti.asterisk.callback import call_back
from cti.asterisk.consulting import Consultation, find_consultation, until_parted
from cti.asterisk.conversation import Parted, connect, find_again
from cti.asterisk.dictation import end_left_behind
from cti.asterisk.ending import LAST_EVENT_S
from cti.asterisk.faxing import end_fax_left_behind
from cti.asterisk.leg import DidNotAnswerError, Leg
from cti.asterisk.playing import silence
from cti.asterisk.seated import Seated
from cti.asterisk.waiting import wait_for_seat
from ivr.flow import run_line
from ivr.next import JoinQueue, Reached
from ivr.rating import ask_rating, wait_for_hang_up
from ivr.refused import Refusal, tell_refused
from ivr.served import WantsPerson
from ivr.window import Talk

if TYPE_CHECKING:
    from cti.asterisk.session import Session


async def go(call: Session, undo: AsyncExitStack, *, resumed: bool) -> None:
    """All of it, or what is left of it; what it makes in Asterisk is on `undo`. Cancelled when the caller hangs up."""
    if call.kept.refused and not call.kept.queued:
        await _refuse(call, undo, call.kept.refused, resumed)
    elif not call.kept.carried:
        await _turn_away(call)
    elif call.kept.unreached:
        await _call_back(call, undo)
    else:
        await (_resume(call, undo) if resumed else _from_the_start(call, undo))


async def _refuse(call: Session, undo: AsyncExitStack, why: Refusal, resumed: bool) -> None:
    """The number is refused for a while. Whoever says that a life is in danger is carried from here on, as others are."""
    if resumed:
        await silence(call.ari, call.call_id)
    await call.ari.channels.answer(call.call_id)
    match await tell_refused(call.window(), why):
        case JoinQueue(needs=needs):
            call.counts()
            await _wait_and_talk(call, undo, needs, call.clock.now(), returned=False)
        case _:
            await wait_for_hang_up(call.caller, call.node.settings.silence_before_close_s)


async def _turn_away(call: Session) -> None:
    """There are too many calls. A call back is promised only once it is on the disk, and only whose number is known."""
    promise = call.kept.calling_number is not None and await call.on_disk()
    await call.ari.channels.answer(call.call_id)
    heard = await call.caller.say("busy.callback" if promise else "busy.later", skippable=False)
    if not heard.whole:  # cut off by a hang-up, whose own event comes after the prompt's
        await wait_for_hang_up(call.caller, LAST_EVENT_S)


async def _from_the_start(call: Session, undo: AsyncExitStack) -> None:
    await call.ari.channels.answer(call.call_id)
    call.keep(step="notice")
    await _lead(call, undo)


async def _lead(call: Session, undo: AsyncExitStack, reached: Reached | None = None) -> None:
    """Through the line, and where it leads; `reached`: a caller whom another controller had led so far."""
    match await run_line(call.window(), reached):
        case JoinQueue(needs=needs):
            await _wait_and_talk(call, undo, needs, call.clock.now(), returned=False)
        case _:
            await _close(call)


async def _resume(call: Session, undo: AsyncExitStack) -> None:
    """Go on where the last controller was: in the same menu or service, at the same place in the queue."""
    kept = call.kept
    needs, since = call.needs, Instant(kept.since_ms / 1000)
    match kept.step:
        case "talking" if kept.conversation:
            parted = await find_again(call, undo, kept.conversation)
            await _parted(call, undo, parted, kept.conversation.adviser, needs, since)
        case "queue" if kept.consultation and (found := find_consultation(call, undo, kept.consultation)):
            await found.be_alone()
            await _hand_over(call, undo, found, needs, since)
        case "outside" if kept.consultation:
            await _outside(call, undo, call.leg(undo, kept.consultation.leg), resumed=True)
        case (
            "queue" | "ringing" | "calling"
        ):  # into the queue before anything is awaited, or others would be served first
            await _wait_and_talk(call, undo, needs, since, returned=True, resumed=True)
        case "message" if kept.dictation:
            await silence(call.ari, call.call_id)
            await end_left_behind(call, kept.dictation)
            await _close(call)
        case "fax" if kept.fax:
            await silence(call.ari, call.call_id)
            done = await end_fax_left_behind(call, kept.fax)
            await _lead(call, undo, msgspec.structs.replace(kept.reached, choice=None) if done else kept.reached)
        case "rating" | "closing":
            await silence(call.ari, call.call_id)
            await call.caller.say("goodbye")
            await _close(call)
        case "menu":
            await silence(call.ari, call.call_id)
            await _lead(call, undo, kept.reached)
        case _:
            await silence(call.ari, call.call_id)
            await _from_the_start(call, undo)


async def _wait_and_talk(
    call: Session, undo: AsyncExitStack, needs: Needs, since: Instant, *, returned: bool, resumed: bool = False
) -> None:
    """From joining the queue to the end of the call; `resumed`: another controller may be saying something still."""
    seated = await wait_for_seat(call, undo, needs, since, returned=returned, resumed=resumed)
    if seated is None:
        await call.caller.say("goodbye")
        await _close(call)
    else:
        await _talk(call, undo, seated, needs, since)


async def _call_back(call: Session, undo: AsyncExitStack) -> None:
    if seated := await call_back(call, undo, call.line):
        await _talk(call, undo, seated, call.needs, Instant(call.kept.since_ms / 1000))


async def _talk(call: Session, undo: AsyncExitStack, seated: Seated, needs: Needs, since: Instant) -> None:
    """With the seat that has answered, to the end of the call."""
    parted = await connect(call, undo, seated)
    await _parted(call, undo, parted, seated.proposal.adviser, needs, since)


async def _parted(
    call: Session, undo: AsyncExitStack, parted: Parted, adviser: str, needs: Needs, since: Instant
) -> None:
    """The adviser has left the conversation: the question, another adviser, or whoever was asked about the call.

    Who waits, waits by the first wait: nobody waits twice for one matter."""
    match parted:
        case Consultation():
            await _hand_over(call, undo, parted, needs, since)
        case Needs():
            await call.caller.say("transfer.begin", skippable=False)
            await _wait_and_talk(call, undo, parted, since, returned=False)
        case "lost":
            await call.caller.say("seat.lost", skippable=False)
            await _wait_and_talk(call, undo, needs, since, returned=True)
        case "over":
            await _after(call, undo, adviser)


async def _hand_over(
    call: Session, undo: AsyncExitStack, consultation: Consultation, needs: Needs, since: Instant
) -> None:
    """To whoever was asked; should they not answer, the caller has another adviser."""
    try:
        taken = await consultation.takes_caller()
    except DidNotAnswerError:
        await call.caller.say("transfer.begin", skippable=False)
        await _wait_and_talk(call, undo, needs, since, returned=True)
        return
    if isinstance(taken, Seated):
        await _talk(call, undo, taken, needs, since)
    else:
        await _outside(call, undo, taken, resumed=False)


async def _outside(call: Session, undo: AsyncExitStack, leg: Leg, *, resumed: bool) -> None:
    await until_parted(call, undo, leg, resumed=resumed)
    call.keep(step="closing", consultation=None)
    await call.caller.say("goodbye")
    await _close(call)


async def _after(call: Session, undo: AsyncExitStack, adviser: str) -> None:
    """The adviser's side has ended: the satisfaction question, then the caller hangs up first, or wants somebody else."""
    call.keep(step="rating")
    try:
        await ask_rating(call.window(), Talk(call.visit, adviser))
    except WantsPerson:
        call.node.advisers.forget(call.kept.calling_number or "")  # for another person than the one complained about
        needs = call.line.needs(call.line.person, call.caller.language)
        await _wait_and_talk(call, undo, needs, call.clock.now(), returned=False)
    else:
        await _close(call)


async def _close(call: Session) -> None:
    """Everything is said; the caller is left the time to hang up first."""
    call.keep(step="closing")
    await wait_for_hang_up(call.caller, call.node.settings.silence_before_close_s)
