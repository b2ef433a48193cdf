"""A conversation: the adviser's number said to both, then both in one bridge, both legs recorded, until one leaves.

Each leg's own receive direction is recorded by MixMonitor, the only direction that stays right in every case; ARI cannot
start it, so the caller passes through a dialplan context that does, and is back within some 5 ms.
"""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, suppress
from functools import partial
from typing import TYPE_CHECKING, Literal
from uuid import uuid4

import msgspec

from calls.errors import NotPossible
from calls.facts import AdviserNumberSaid, ConversationEnded, EndedBy, SeatAnswered
from calls.words import Needs
from cti.asterisk.apart import VERIFY_KEYS, take_back, verify_apart
from cti.asterisk.consulting import Consultation, caller_back, find_consultation, look_for
from cti.asterisk.ending import remove_bridge
from cti.asterisk.errors import Gone, NotInStasis
from cti.asterisk.holding import put_on_hold
from cti.asterisk.kept import Conversation, Step
from cti.asterisk.leg import NORMAL, Leg
from cti.asterisk.moving import move
from cti.asterisk.playing import silence
from cti.asterisk.seated import Seated
from cti.asterisk.wishes import Wishes
from cti.recorder import Pending
from ivr.caller import Heard
from queues import Answered, ConversationOver, Held, Leave

if TYPE_CHECKING:
    from cti.asterisk.session import Session


Parted = Literal["over", "lost"] | Needs | Consultation
"""How the adviser has left: the conversation is over; or the caller is to have another one, because the seat vanished or they
never met; or is passed on, as these needs say; or is for whoever was asked about the call."""


async def connect(call: Session, undo: AsyncExitStack, seated: Seated) -> Parted:
    """From the adviser's answer until they leave; cancelled when the caller does."""
    proposal = seated.proposal
    pending = _pending(call, proposal.visit, seated.started_ms, seated.unrecorded)
    undo.callback(_forget_attempt, call, pending, seated.leg)
    if not seated.unrecorded:
        await call.through_dialplan("start-recording", f"{proposal.visit}.caller")
    begun_ms = call.now_ms()
    pending = msgspec.structs.replace(pending, caller_started_ms=begun_ms, begin_ms=begun_ms)
    conversation = Conversation(
        proposal.seat,
        proposal.adviser,
        seated.leg.channel,
        uuid4().hex,
        begun_ms,
        seated.rang_ms,
        seated.phone.endpoint,
    )
    undo.push_async_callback(remove_bridge, call.ari, conversation.bridge)
    with call.node.journal.together():
        call.node.floor.take(Answered(proposal.seat, proposal.generation))
        call.node.recorder.keep(pending)
        _tell_answered(call, conversation)
    return await _until_over(call, undo, seated.leg, conversation, pending, found=False)


def _pending(call: Session, visit: str, seat_started_ms: int, unrecorded: str | None) -> Pending:
    now_ms = call.now_ms()
    return Pending(
        call_id=call.call_id,
        visit=visit,
        day=call.clock.utc(),
        caller_file=call.node.recorder.raw_file(f"{visit}.caller"),
        caller_started_ms=now_ms,
        seat_file=call.node.recorder.raw_file(f"{visit}.seat"),
        seat_started_ms=seat_started_ms,
        begin_ms=now_ms,
        unrecorded=unrecorded,
    )


def _forget_attempt(call: Session, pending: Pending, leg: Leg | None) -> None:
    """Undo of a conversation, for the case that it never began: its tracks are removed with the end of the call."""
    if call.kept.visit_open and call.visit == pending.visit:
        call.recordings.append((msgspec.structs.replace(pending, settled=True), leg))


def forget_seat(call: Session, seated: Seated) -> None:
    """A seat picked up, and there will be no conversation: its track is removed with the end of the call."""
    _forget_attempt(call, _pending(call, call.visit, seated.started_ms, seated.unrecorded), seated.leg)


async def end_attempt(call: Session, undo: AsyncExitStack) -> None:
    """What another controller began as a seat picked up: its recording must not run on beside the next attempt's.

    The two would write to the same file; and should there be no next attempt, the tracks are nobody's.
    """
    undo.callback(_forget_attempt, call, _pending(call, call.visit, call.now_ms(), None), None)
    await call.through_dialplan("stop-recording", "s")


async def find_again(call: Session, undo: AsyncExitStack, conversation: Conversation) -> Parted:
    """Go on with a conversation that another controller began; as `connect`."""
    undo.push_async_callback(remove_bridge, call.ari, conversation.bridge)
    leg = call.leg(undo, conversation.leg)
    if call.kept.consultation:
        call.consultation = find_consultation(call, undo, call.kept.consultation)
    call.lead_ends("interrupted")  # whose telephone was ended with whatever the last controller left
    call.node.floor.found_talking(conversation.seat, conversation.adviser, call.visit)
    if conversation.held_since_ms is not None:
        call.node.floor.take(Held(conversation.seat, call.visit, True))
    pending = call.node.recorder.find(call.visit)
    return await _until_over(call, undo, leg, conversation, pending, found=True)


def _tell_answered(call: Session, conversation: Conversation) -> None:
    answered = SeatAnswered(
        call_id=call.call_id,
        visit=call.visit,
        seat=conversation.seat,
        adviser=conversation.adviser,
        waited_ms=max(0, conversation.begun_ms - call.kept.since_ms),
        rang_ms=conversation.rang_ms,
    )
    call.node.promises.answered(call.call_id)
    call.leave_queue("answered", answered, step="talking", conversation=conversation)


async def _until_over(
    call: Session, undo: AsyncExitStack, leg: Leg, conversation: Conversation, pending: Pending, *, found: bool
) -> Parted:
    """Bring them together and wait until the adviser leaves.

    `found`: it began under another controller, so they may have met, and the seat may have left while none ran.
    """
    ended_by: EndedBy = "caller"
    step: Step = "talking"
    met = lost = hung_up = False
    parted: Parted = "over"
    call.wishes = Wishes(call)
    tasks: list[asyncio.Task[object]] = []
    try:
        there = await _found(call, conversation) if found else None
        apart = conversation.apart_since_ms is not None or conversation.aside
        met = there is not None and (call.call_id in there or apart)
        cause: int | None = None
        if not met:
            leaving = asyncio.create_task(leg.ended(partial(put_on_hold, call)))
            meeting = asyncio.create_task(_meet(call, conversation, bridged=there is not None))
            tasks += [leaving, meeting]
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            if leaving in done:
                cause = leaving.result()
            else:
                met = meeting.result()
                leaving.cancel()
        if cause is None:
            freed = ConversationOver(conversation.seat, call.visit, lost=False, hung_up=True, early=not met)
            leg, cause = await _while_both_are_there(
                call, undo, leg, tasks, freed, apart=conversation.apart_since_ms is not None
            )
        lost = cause != NORMAL
        hung_up = not lost
        parted = _parted(call, met=met, lost=lost)
        ended_by, step = "fault" if lost else "seat", "rating" if parted == "over" else "queue"
    except Exception:
        ended_by = "fault"
        raise
    finally:
        # Nothing is awaited before all is told: a second leg that leaves in this instant cancels at the first await.
        ended = _recorded_until_now(call, pending)
        with call.node.journal.together():
            early = hung_up and not met
            call.node.floor.take(ConversationOver(conversation.seat, call.visit, lost, hung_up, early))
            if (asked := call.wishes.asked) and asked.proposal:  # too late: the visit may begin at another seat
                call.node.floor.take(Leave(asked.proposal.visit))
            call.node.recorder.keep(ended)
            _tell_over(call, call.kept.conversation or conversation, parted, ended_by, step)
            if parted == "over" and met and not lost:
                call.node.advisers.put(call.kept.calling_number, conversation.adviser)
        call.recordings.append((ended, leg))
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    if isinstance(parted, Consultation):
        await parted.be_alone()
    await call.through_dialplan("stop-recording", "s")
    return parted


def _tell_over(call: Session, conversation: Conversation, parted: Parted, ended_by: EndedBy, step: Step) -> None:
    """The adviser's part is over, with whatever else went on beside it."""
    call.lead_ends("conversation_ended")
    if call.consultation and call.consultation is not parted:
        call.consultation.end("caller_left" if ended_by == "caller" else "conversation_ended")
    elsewhere = parted if isinstance(parted, Needs) else None
    over = _over(call, conversation, ended_by, elsewhere)
    call.turn(over, step=step, conversation=None, needs=elsewhere or call.kept.needs)
    call.node.callers.put(conversation.adviser, call.kept)
    if isinstance(parted, Needs | Consultation):  # for somebody else from now on
        call.node.advisers.forget(call.kept.calling_number or "")


def _parted(call: Session, *, met: bool, lost: bool) -> Parted:
    """The adviser has left: who hangs up while somebody is being asked has handed the caller over."""
    if call.consultation and not call.consultation.over:
        return call.consultation
    if lost or not met or call.wishes.handing_over:  # whoever was asked has left as the adviser did
        return "lost"
    return call.wishes.elsewhere or "over"


async def _while_both_are_there(
    call: Session,
    undo: AsyncExitStack,
    leg: Leg,
    tasks: list[asyncio.Task[object]],
    freed: ConversationOver,
    *,
    apart: bool,
) -> tuple[Leg, int]:
    """Until the adviser leaves: by which leg, and the cause. Meanwhile the adviser may send the caller to the machine, or take
    the call on another telephone.

    `freed` is told in the instant in which the adviser hangs up: the next caller waits for the seat. `apart`: another
    controller had sent the caller to the machine.
    """

    def watch() -> asyncio.Task[int]:
        leg.at_hang_up(partial(call.node.floor.take, freed))
        task = asyncio.create_task(leg.ended(partial(put_on_hold, call), _Keys(call).press))
        tasks.append(task)
        return task

    leaving, wishes = watch(), call.wishes
    if apart:
        await take_back(call, leg, leaving)
    while not leaving.done():
        wished = asyncio.create_task(wishes.some())
        try:
            await asyncio.wait({leaving, wished}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            wished.cancel()
        if leaving.done():
            break
        if wishes.handing_over and (call.consultation is None or call.consultation.over):
            wishes.handing_over = False  # whoever was asked has left in this instant
        elif wishes.elsewhere or wishes.handing_over:
            leaving.cancel()
            await _part_from(call, leg)
            return leg, NORMAL
        if wishes.asked:
            call.consultation = Consultation(call, undo, wishes.asked)
            wishes.asked = None
        elif wishes.apart:
            await verify_apart(call, leg, leaving)
        elif wishes.moved and (moved := await move(call, undo, leg, leaving)):
            leg = moved
            leaving = watch()
    return leg, leaving.result()


async def _part_from(call: Session, leg: Leg) -> None:
    """The adviser passes the caller on: their leg ends, and music that the caller hears on hold does, too."""
    leg.at_hang_up(lambda: None)
    await leg.close()
    conversation = call.kept.conversation
    if conversation and conversation.held_since_ms is not None:
        with suppress(Gone, NotInStasis):
            await call.ari.channels.stop_moh(call.call_id)


def _recorded_until_now(call: Session, pending: Pending) -> Pending:
    """What is to be sealed: to this moment, or to the one since which the caller was with the machine."""
    apart_since_ms = call.kept.conversation and call.kept.conversation.apart_since_ms
    pending = call.node.recorder.find(pending.visit)  # further tracks may have been begun since
    return msgspec.structs.replace(pending, end_ms=call.now_ms() if apart_since_ms is None else apart_since_ms)


class _Keys:
    """What the adviser keys: `VERIFY_KEYS`, one after the other, send the caller to the machine."""

    def __init__(self, call: Session) -> None:
        self._call, self._last = call, ""

    def press(self, key: str) -> None:
        self._last = (self._last + key)[-len(VERIFY_KEYS) :]
        if self._last == VERIFY_KEYS:
            with suppress(NotPossible):  # it is so already, or cannot be, and the adviser hears that nothing happens
                self._call.wishes.send_to_machine()


async def _found(call: Session, conversation: Conversation) -> list[str] | None:
    """Who is in the bridge that another controller made; None when it made none. A seat that left is told to be gone."""
    await asyncio.gather(silence(call.ari, call.call_id), silence(call.ari, conversation.leg))
    try:
        there = (await call.ari.bridges.get(conversation.bridge)).channels
    except Gone:
        there = None
    for leg in call.kept.legs:
        await look_for(call, leg)
    if call.consultation is None:  # whoever was rung is rung no more
        with suppress(Gone, NotInStasis):
            await caller_back(call)
    return there


async def _meet(call: Session, conversation: Conversation, *, bridged: bool) -> bool:
    """Say the number, then let them hear each other. False when one of them has left meanwhile, which is told elsewhere."""
    try:
        heard = await _say_number(call, conversation)
        if not bridged:
            await call.ari.bridges.create_with_id(conversation.bridge, type="mixing")
        await call.ari.bridges.add_channel(conversation.bridge, [call.call_id, conversation.leg])
    except (Gone, NotInStasis):  # for some milliseconds, whoever hung up is still there
        return False
    if heard.whole:
        call.record(AdviserNumberSaid(call_id=call.call_id, visit=call.visit, adviser=conversation.adviser))
    return True


def _over(call: Session, conversation: Conversation, ended_by: EndedBy, elsewhere: Needs | None) -> ConversationEnded:
    now_ms = call.now_ms()
    return ConversationEnded(
        call_id=call.call_id,
        visit=call.visit,
        seat=conversation.seat,
        adviser=conversation.adviser,
        talked_ms=max(0, now_ms - conversation.begun_ms),
        held_ms=conversation.held_until(now_ms),
        ended_by="fault" if call.ended_by == "fault" else ended_by,
        transferred_to=elsewhere.queue if elsewhere else None,
    )


async def _say_number(call: Session, conversation: Conversation) -> Heard:
    """Each hears it: the caller learns who speaks, the adviser when it was said. What the caller heard. Raises AriError.

    They are not in the bridge yet: a bridge that is played to costs a third of the call, and a channel that is played to in
    a bridge, and that hangs up in this instant, stays in Asterisk (decision 0015).
    """
    adviser = call.person(conversation.leg)
    saying = asyncio.create_task(adviser.say("seat.number", skippable=False, number=conversation.adviser))
    try:
        heard = await call.caller.say("seat.number", skippable=False, number=conversation.adviser)
        await saying
    finally:
        saying.cancel()
        await asyncio.gather(saying, return_exceptions=True)
    return heard
