"""Assisted identification: in mid-conversation the machine asks the caller who they are, apart from the adviser.

The adviser hears music, and then one word: verified or not. What is keyed goes to the flow alone: both legs are out of the
bridge, and both recordings are stopped first and begun again afterwards, as further tracks; between them the recording is
silent, and a fact says from when to when. Who leaves meanwhile, leaves as at any other moment of a conversation.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

import msgspec

from calls.facts import AssistedIdentification, AssistedOutcome
from cti.asterisk.errors import Gone, NotInStasis
from cti.asterisk.leg import Leg
from cti.asterisk.staying import until_answered
from cti.recorder import Pending
from ivr.assisted import show_who_it_is
from recordings import Part

if TYPE_CHECKING:
    from cti.asterisk.session import Session

VERIFY_KEYS = "*9"
"""Keyed by the adviser, one after the other."""

ASSISTED = "assisted"
"""What the caller is about meanwhile."""


async def verify_apart(call: Session, leg: Leg, leaving: asyncio.Task[int]) -> None:
    """Until they are together again, or the adviser has left, which is what `leaving` waits for. Raises AriError."""
    outcome: AssistedOutcome = "hung_up"
    together = False
    call.lead_ends("apart")
    conversation = call.kept.conversation
    assert conversation, "they talk"
    call.keep(conversation=msgspec.structs.replace(conversation, apart_since_ms=call.now_ms()))
    call.wishes.apart = False
    asking = asyncio.create_task(_ask(call, leg))
    try:
        await asyncio.wait({asking, leaving}, return_when=asyncio.FIRST_COMPLETED)
        outcome = "adviser_left" if leaving.done() else asking.result()
        together = not leaving.done() and await _rejoin(call, leg, leaving, outcome)
    except (Gone, NotInStasis):  # one of them has left, which is told elsewhere: the caller's end cancels this
        await asyncio.wait({leaving})
        outcome = "adviser_left" if outcome == "hung_up" else outcome
    except Exception:
        outcome = "interrupted"
        raise
    finally:
        _tell(call, outcome, together=together)
        asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)


async def take_back(call: Session, leg: Leg, leaving: asyncio.Task[int]) -> None:
    """The controller died while the machine was asking: the two are brought together, and the adviser may have it ask again."""
    together = False
    try:
        await _part(call, leg)  # the last one may not have come so far
        together = await _rejoin(call, leg, leaving, "interrupted")
    except (Gone, NotInStasis):
        await asyncio.wait({leaving})
    finally:
        _tell(call, "interrupted", together=together)


def _tell(call: Session, outcome: AssistedOutcome, *, together: bool) -> None:
    """What came of it. They are `together` again, or the recording ends where it was stopped."""
    conversation = call.kept.conversation
    if conversation is None or conversation.apart_since_ms is None:
        return
    pending = call.node.recorder.find(call.visit)
    fact = AssistedIdentification(
        call_id=call.call_id,
        visit=call.visit,
        seat=conversation.seat,
        adviser=conversation.adviser,
        outcome=outcome,
        gap_from_ms=max(0, conversation.apart_since_ms - pending.begin_ms),
        gap_ms=max(0, call.now_ms() - conversation.apart_since_ms),
    )
    apart_since_ms = None if together else conversation.apart_since_ms
    call.turn(fact, conversation=msgspec.structs.replace(conversation, apart_since_ms=apart_since_ms))


async def _ask(call: Session, leg: Leg) -> AssistedOutcome:
    if call.lead:
        await call.lead.deaf.wait()
    await _part(call, leg)
    await call.ari.channels.start_moh(leg.channel)
    return await show_who_it_is(call.window(ASSISTED))


async def _part(call: Session, leg: Leg) -> None:
    """Neither hears the other, and nothing is recorded from here on."""
    conversation = call.kept.conversation
    assert conversation, "they talk"
    there = (await call.ari.bridges.get(conversation.bridge)).channels
    if both := [channel for channel in (call.call_id, leg.channel) if channel in there]:
        await call.ari.bridges.remove_channel(conversation.bridge, both)
    if not call.node.recorder.find(call.visit).unrecorded:
        await _both_through(call, leg, "stop-recording", "s", "s")


async def _rejoin(call: Session, leg: Leg, leaving: asyncio.Task[int], outcome: AssistedOutcome) -> bool:
    """The adviser is told what came of it, and both hear each other again. False when the adviser left meanwhile."""
    conversation = call.kept.conversation
    assert conversation, "they talk"
    telling = asyncio.create_task(_tell_both(call, leg, verified=outcome == "verified"))
    try:
        await asyncio.wait({telling, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if leaving.done():
            return False
        telling.result()
        await _record_again(call, leg)
        await call.ari.bridges.add_channel(conversation.bridge, [call.call_id, leg.channel])
        return True
    finally:
        telling.cancel()
        await asyncio.gather(telling, return_exceptions=True)


async def _tell_both(call: Session, leg: Leg, *, verified: bool) -> None:
    with suppress(Gone, NotInStasis):
        await call.ari.channels.stop_moh(leg.channel)
    adviser = call.person(leg.channel)
    word = "assist.verified" if verified else "assist.not_verified"
    saying = asyncio.create_task(adviser.say(word, skippable=False))
    try:
        await call.caller.say("assist.back", skippable=False)
        await saying
    finally:
        saying.cancel()
        await asyncio.gather(saying, return_exceptions=True)


async def _record_again(call: Session, leg: Leg) -> None:
    """A further track of each; kept before it begins, so that no controller takes it for nobody's."""
    recorder = call.node.recorder
    pending = recorder.find(call.visit)
    if pending.unrecorded:
        return
    numbers = {"caller": len(pending.caller_again) + 2, "seat": len(pending.seat_again) + 2}
    names = [f"{call.visit}.{side}.{number}" for side, number in numbers.items()]
    recorder.keep(_with_parts(call, pending, names))
    await _both_through(call, leg, "start-recording", *names)
    recorder.keep(_with_parts(call, pending, names))


def _with_parts(call: Session, pending: Pending, names: list[str]) -> Pending:
    caller, seat = (Part(call.node.recorder.raw_file(name), call.now_ms()) for name in names)
    return msgspec.structs.replace(
        pending, caller_again=(*pending.caller_again, caller), seat_again=(*pending.seat_again, seat)
    )


async def _both_through(call: Session, leg: Leg, context: str, caller: str, seat: str) -> None:
    """Both legs through the dialplan, each to its extension; waited for to the end, or one would come back unseen."""
    await until_answered(_both(call, leg, context, caller, seat))


async def _both(call: Session, leg: Leg, context: str, caller: str, seat: str) -> None:
    """Raises the first one's error only once the other is back, too."""
    passages = (call.through_dialplan(context, caller), leg.through_dialplan(context, seat))
    for ended in await asyncio.gather(*passages, return_exceptions=True):
        if isinstance(ended, BaseException):
            raise ended
