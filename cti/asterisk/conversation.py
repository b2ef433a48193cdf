"""A conversation: caller and adviser in one bridge, the adviser's number said, both legs recorded, until one leaves.

Each leg's own receive direction is recorded by MixMonitor, the only direction that stays right in every case; ARI cannot
start it, so the caller passes through a dialplan context that does, and is back within some 5 ms.
"""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING
from uuid import uuid4

import msgspec

from calls.facts import AdviserNumberSaid, ConversationEnded, EndedBy, SeatAnswered
from cti.asterisk.errors import Gone
from cti.asterisk.generated.messages import PlaybackFinished
from cti.asterisk.kept import Conversation
from cti.asterisk.seatleg import NORMAL, SeatLeg
from cti.recorder import Pending
from queues import Answered, ConversationOver

if TYPE_CHECKING:
    from cti.asterisk.session import Session
    from cti.asterisk.waiting import Seated


async def connect(call: Session, undo: AsyncExitStack, seated: Seated) -> bool:
    """Bring caller and adviser together until one leaves. True when the seat was lost rather than hung up."""
    proposal = seated.proposal
    await call.through_dialplan("start-recording", f"{proposal.visit}.caller")
    caller_started_ms = call.now_ms()
    bridge = uuid4().hex
    undo.push_async_callback(_remove_bridge, call, bridge)
    await call.ari.bridges.create_with_id(bridge, type="mixing")
    met = await _bring_together(call, bridge, seated.leg)
    conversation = Conversation(proposal.seat, proposal.adviser, seated.leg.channel, bridge, call.now_ms())
    pending = Pending(
        call_id=call.call_id,
        visit=proposal.visit,
        day=call.clock.utc(),
        caller_file=call.node.recorder.raw_file(f"{proposal.visit}.caller"),
        caller_started_ms=caller_started_ms,
        seat_file=call.node.recorder.raw_file(f"{proposal.visit}.seat"),
        seat_started_ms=seated.started_ms,
        begin_ms=conversation.begun_ms,
    )
    call.node.recorder.keep(pending)
    call.node.floor.take(Answered(proposal.seat, proposal.generation))
    _tell_answered(call, seated)
    call.keep(step="talking", conversation=conversation)
    lost = await _until_over(call, seated.leg, conversation, pending, say_number=True)
    return lost or not met


async def _bring_together(call: Session, bridge: str, leg: SeatLeg) -> bool:
    """False when the seat left in the instant of its answer. Raises Gone when it was the caller who left."""
    try:
        await call.ari.bridges.add_channel(bridge, [call.call_id, leg.channel])
    except Gone:
        await call.ari.channels.get(call.call_id)
        return False
    return True


async def find_again(call: Session, undo: AsyncExitStack, conversation: Conversation) -> bool:
    """Go on with a conversation that began under another controller. True when the seat was lost."""
    leg = call.leg(undo, conversation.leg)
    undo.push_async_callback(_remove_bridge, call, conversation.bridge)
    try:
        await call.ari.channels.get(leg.channel)
    except Gone:  # it ended while no controller ran
        call.node.router.vanish(leg.channel)
    call.node.floor.found_talking(conversation.seat, conversation.adviser, call.visit)
    pending = call.node.recorder.find(call.visit)
    return await _until_over(call, leg, conversation, pending, say_number=False)


def _tell_answered(call: Session, seated: Seated) -> None:
    proposal = seated.proposal
    call.record(
        SeatAnswered(
            call_id=call.call_id,
            visit=proposal.visit,
            seat=proposal.seat,
            adviser=proposal.adviser,
            waited_ms=max(0, call.now_ms() - call.kept.since_ms),
            rang_ms=seated.rang_ms,
        )
    )
    call.leave_queue("answered")


async def _until_over(
    call: Session, leg: SeatLeg, conversation: Conversation, pending: Pending, *, say_number: bool
) -> bool:
    """Wait until one of them leaves. True when the seat's telephone vanished rather than hung up."""
    ended_by: EndedBy = "caller"
    lost = False
    saying = asyncio.create_task(_say_number(call, conversation)) if say_number else None
    try:
        lost = await leg.ended() != NORMAL
        ended_by = "fault" if lost else "seat"
    finally:
        # Nothing is awaited before all is told: a second leg that leaves in this instant cancels at the first await.
        _tell_over(call, conversation, ended_by)
        call.node.floor.take(ConversationOver(conversation.seat, call.visit, lost))
        ended = msgspec.structs.replace(pending, end_ms=call.now_ms())
        call.node.recorder.keep(ended)
        call.recordings.append((ended, leg))
        if saying:
            saying.cancel()
            await asyncio.gather(saying, return_exceptions=True)
    await call.through_dialplan("stop-recording", "s")
    return lost


def _tell_over(call: Session, conversation: Conversation, ended_by: EndedBy) -> None:
    call.record(
        ConversationEnded(
            call_id=call.call_id,
            visit=call.visit,
            seat=conversation.seat,
            adviser=conversation.adviser,
            talked_ms=max(0, call.now_ms() - conversation.begun_ms),
            ended_by="fault" if call.ended_by == "fault" else ended_by,
        )
    )


async def _say_number(call: Session, conversation: Conversation) -> None:
    """Both hear it: the caller learns who speaks, the adviser when it was said."""
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
