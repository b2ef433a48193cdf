"""A conversation: caller and adviser in one bridge, the adviser's number said, both legs recorded, until one leaves.

Each leg's own receive direction is recorded by MixMonitor, the only direction that stays right in every case; ARI cannot
start it, so the caller passes through a dialplan context that does, and is back within some 5 ms.
"""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Literal
from uuid import uuid4

import msgspec

from calls.facts import AdviserNumberSaid, ConversationEnded, EndedBy, SeatAnswered
from cti.asterisk.errors import Gone
from cti.asterisk.generated.messages import PlaybackFinished
from cti.asterisk.kept import Conversation, Step
from cti.asterisk.seatleg import NORMAL, SeatLeg
from cti.recorder import Pending
from queues import Answered, ConversationOver

Found = Literal["over", "lost", "never_begun"]
"""What became of a conversation that another controller began: `lost` when the seat's telephone vanished."""

if TYPE_CHECKING:
    from cti.asterisk.session import Session
    from cti.asterisk.waiting import Seated


async def connect(call: Session, undo: AsyncExitStack, seated: Seated) -> bool:
    """Bring caller and adviser together until one leaves. True when the seat was lost rather than hung up."""
    proposal = seated.proposal
    pending = Pending(
        call_id=call.call_id,
        visit=proposal.visit,
        day=call.clock.utc(),
        caller_file=call.node.recorder.raw_file(f"{proposal.visit}.caller"),
        caller_started_ms=call.now_ms(),
        seat_file=call.node.recorder.raw_file(f"{proposal.visit}.seat"),
        seat_started_ms=seated.started_ms,
        begin_ms=call.now_ms(),
        unrecorded=seated.unrecorded,
    )
    undo.callback(_forget_attempt, call, pending, seated.leg)
    if not seated.unrecorded:
        await call.through_dialplan("start-recording", f"{proposal.visit}.caller")
    pending = msgspec.structs.replace(pending, caller_started_ms=call.now_ms())
    conversation = Conversation(
        proposal.seat, proposal.adviser, seated.leg.channel, uuid4().hex, call.now_ms(), seated.rang_ms
    )
    undo.push_async_callback(_remove_bridge, call, conversation.bridge)
    with call.node.journal.together():  # before they meet: from then on another controller may have to find them
        call.node.recorder.keep(pending)
        call.keep(conversation=conversation)
    await call.ari.bridges.create_with_id(conversation.bridge, type="mixing")
    met = await _bring_together(call, conversation)
    begun_ms = call.now_ms()
    conversation = msgspec.structs.replace(conversation, begun_ms=begun_ms)
    pending = msgspec.structs.replace(pending, begin_ms=begun_ms)
    with call.node.journal.together():
        call.node.floor.take(Answered(proposal.seat, proposal.generation))
        call.node.recorder.keep(pending)
        _tell_answered(call, conversation)
    lost = await _until_over(call, seated.leg, conversation, pending, say_number=True)
    return lost or not met


async def _bring_together(call: Session, conversation: Conversation) -> bool:
    """False when the seat left in the instant of its answer. Raises Gone when it was the caller who left."""
    try:
        await call.ari.bridges.add_channel(conversation.bridge, [call.call_id, conversation.leg])
    except Gone:
        await call.ari.channels.get(call.call_id)
        return False
    return True


def _forget_attempt(call: Session, pending: Pending, leg: SeatLeg) -> None:
    """Undo of a conversation, for the case that it never began: its tracks are removed with the end of the call."""
    if call.kept.visit_open and call.visit == pending.visit:
        settled = msgspec.structs.replace(pending, settled=True)
        with call.node.journal.together():
            call.keep(conversation=None)
            call.node.recorder.keep(settled)
        call.recordings.append((settled, leg))


async def find_again(call: Session, undo: AsyncExitStack, conversation: Conversation) -> Found:
    """Go on with a conversation that began under another controller, until it is over."""
    async with AsyncExitStack() as attempt:
        attempt.push_async_callback(_remove_bridge, call, conversation.bridge)
        leg = call.leg(attempt, conversation.leg)
        attempt.callback(_forget_attempt, call, call.node.recorder.find(call.visit), leg)
        if call.kept.step == "ringing" and not await _are_together(call, conversation):
            return "never_begun"
        undo.push_async_exit(attempt.pop_all())
    try:
        await call.ari.channels.get(leg.channel)
    except Gone:  # it ended while no controller ran
        call.node.router.vanish(leg.channel)
    with call.node.journal.together():
        call.node.floor.found_talking(conversation.seat, conversation.adviser, call.visit)
        if call.kept.visit_open:
            _tell_answered(call, conversation)
    pending = call.node.recorder.find(call.visit)
    return "lost" if await _until_over(call, leg, conversation, pending, say_number=False) else "over"


async def _are_together(call: Session, conversation: Conversation) -> bool:
    """Whether caller and seat hear each other already, though the last controller had no time to say so."""
    try:
        bridge = await call.ari.bridges.get(conversation.bridge)
    except Gone:
        return False
    return {call.call_id, conversation.leg} <= set(bridge.channels)


def _tell_answered(call: Session, conversation: Conversation) -> None:
    answered = SeatAnswered(
        call_id=call.call_id,
        visit=call.visit,
        seat=conversation.seat,
        adviser=conversation.adviser,
        waited_ms=max(0, conversation.begun_ms - call.kept.since_ms),
        rang_ms=conversation.rang_ms,
    )
    call.leave_queue("answered", answered, step="talking", conversation=conversation)


async def _until_over(
    call: Session, leg: SeatLeg, conversation: Conversation, pending: Pending, *, say_number: bool
) -> bool:
    """Wait until one of them leaves. True when the seat's telephone vanished rather than hung up."""
    ended_by: EndedBy = "caller"
    step: Step = "talking"
    lost = False
    saying = asyncio.create_task(_say_number(call, conversation)) if say_number else None
    try:
        lost = await leg.ended() != NORMAL
        ended_by, step = ("fault", "queue") if lost else ("seat", "rating")
    finally:
        # Nothing is awaited before all is told: a second leg that leaves in this instant cancels at the first await.
        ended = msgspec.structs.replace(pending, end_ms=call.now_ms())
        with call.node.journal.together():
            call.node.floor.take(ConversationOver(conversation.seat, call.visit, lost))
            call.node.recorder.keep(ended)
            call.turn(_over(call, conversation, ended_by), step=step, conversation=None)
        call.recordings.append((ended, leg))
        if saying:
            saying.cancel()
            await asyncio.gather(saying, return_exceptions=True)
    await call.through_dialplan("stop-recording", "s")
    return lost


def _over(call: Session, conversation: Conversation, ended_by: EndedBy) -> ConversationEnded:
    return ConversationEnded(
        call_id=call.call_id,
        visit=call.visit,
        seat=conversation.seat,
        adviser=conversation.adviser,
        talked_ms=max(0, call.now_ms() - conversation.begun_ms),
        ended_by="fault" if call.ended_by == "fault" else ended_by,
    )


async def _say_number(call: Session, conversation: Conversation) -> None:
    """Both hear it: the caller learns who speaks, the adviser when it was said.

    The bridge is played to, though it costs a third of the call: a channel that is played to while it stands in a bridge, and
    that hangs up in this instant, stays in Asterisk (decision 0015).
    """
    playback = uuid4().hex
    media = call.node.sounds.media("seat.number", call.caller.language, number=conversation.adviser)
    with call.node.router.mailbox(playback) as box:
        await call.ari.bridges.play_with_id(conversation.bridge, playback, media=media)
        event = await box.get()
    if isinstance(event, PlaybackFinished) and event.playback.state == "done":
        call.record(AdviserNumberSaid(call_id=call.call_id, visit=call.visit, adviser=conversation.adviser))


async def _remove_bridge(call: Session, bridge: str) -> None:
    try:
        await call.ari.bridges.destroy(bridge)
    except Gone:
        return
