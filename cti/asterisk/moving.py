"""A conversation is moved to another telephone of its seat: the page was loaded anew, or another device is the telephone now.

The caller hears a gap of as long as the new one takes to answer, some 0.5 s. Nobody else's part in the call changes: same
visit, same bridge, and one recording, in which the adviser's side has a further track.
"""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, suppress
from typing import TYPE_CHECKING

import msgspec

from cti.asterisk.errors import Gone, NotInStasis
from cti.asterisk.holding import put_on_hold
from cti.asterisk.leg import DidNotAnswerError, Leg
from cti.asterisk.seated import UNRECORDED
from recordings import Part

if TYPE_CHECKING:
    from cti.asterisk.session import Session

RING_S = 5.0
"""The page answers by itself. One that does not is not there, and the caller goes on hearing nothing."""


async def move(call: Session, undo: AsyncExitStack, old: Leg, leaving: asyncio.Task[int]) -> Leg | None:
    """The new leg, in the bridge in place of the old one, which is gone. None when nobody answered, or when the adviser has
    left by the old one meanwhile, which is what `leaving` waits for. Raises AriError.
    """
    call.wishes.moved = False
    conversation = call.kept.conversation
    assert conversation, "they talk"
    phone, recorder = call.node.telephones.of(conversation.seat), call.node.recorder
    pending = recorder.find(call.visit)
    track = UNRECORDED if pending.unrecorded else f"{call.visit}.seat.{len(pending.seat_again) + 2}"
    if not pending.unrecorded:  # kept before it begins, so that no controller takes it for nobody's
        recorder.add(call.visit, "seat_again", Part(recorder.raw_file(track), call.now_ms()))
    fresh = call.leg(undo)
    try:
        await fresh.ring(phone, ("to-seat", track), RING_S, call.kept.calling_number)
    except DidNotAnswerError:
        recorder.drop(call.visit, "seat_again", recorder.raw_file(track))
        return None
    if not pending.unrecorded:
        recorder.add(call.visit, "seat_again", Part(recorder.raw_file(track), call.now_ms()))
    try:
        if not leaving.done():
            await call.ari.bridges.add_channel(conversation.bridge, [fresh.channel])
    except (Gone, NotInStasis):  # it hung up again
        await fresh.close()
        return None
    if leaving.done():
        await fresh.close()
        return None
    conversation = call.kept.conversation or conversation  # with what changed while it rang
    held = conversation.held_since_ms is not None and not conversation.aside
    call.keep(conversation=msgspec.structs.replace(conversation, leg=fresh.channel, endpoint=phone.endpoint))
    if call.lead:
        call.lead.look_again()
    leaving.cancel()
    old.at_hang_up(lambda: None)
    await old.close()
    fresh.packets += old.packets
    if held:  # whoever takes the call back on another telephone wants to speak
        put_on_hold(call, False)
        with suppress(Gone, NotInStasis):
            await call.ari.channels.stop_moh(call.call_id)
    return fresh
