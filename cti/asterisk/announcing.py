"""What a waiting caller hears: a word at the start, the place and the expected wait when they are better, and music.

Whoever waits long is offered to be called back, at the same place; the answer is a key, confirmed once.
"""

from __future__ import annotations

import asyncio
import math
from typing import TYPE_CHECKING

import structlog

from calls.clock import Instant
from calls.facts import PositionSaid
from calls.numbers import dialled
from cti.asterisk.errors import AriError, Gone, NotInStasis
from cti.asterisk.kept import Told
from cti.floor import Place
from ivr.line import Callback

if TYPE_CHECKING:
    from cti.asterisk.session import Session

log = structlog.get_logger(__name__)

LONGEST_TOLD_MIN = 60
"""Nobody is told of a longer wait: an estimate that far says no more than that it will be long."""

CALL_BACK = "1"
"""The key that asks to be called back, and that confirms it."""

CONFIRM_WAIT_S = 8.0
"""Seconds to find the key, as long as in the menus."""

OFFER_AGAIN_S = 90.0
"""Whoever goes on waiting is reminded that there is another way, not pestered with it."""


async def announce(call: Session, place: Place, silent_s: float) -> bool:
    """Until cancelled; or True once the caller has asked to be called back. Raises nothing.

    The music is the channel's own: a holding bridge's stays silent for everybody after its last caller has left. Whatever
    is said ends it, so it begins again afterwards; the adviser's number ends it for good. Until then it goes on, also when
    a sentence is cut off by the seat: a controller that dies or stalls in this instant leaves no silence.
    """
    try:
        await asyncio.sleep(silent_s)
        await call.caller.say_into_music("queue.kept" if call.kept.place_of else "queue.enter")
        call.caller.forget_keys()
        return await _go_on(call, place)
    except (Gone, NotInStasis):
        return False  # the caller left in this instant, which the call learns by itself
    except AriError as error:  # the call goes on waiting; it is only less well told
        log.warning("a waiting caller cannot be spoken to", error=str(error))
        return False


async def _go_on(call: Session, place: Place) -> bool:
    callback = _way_back(call)
    offers_at = call.kept.since_ms / 1000 + callback.offer_after_s if callback else math.inf
    said, says_at, offered = call.kept.told.once_more(), call.clock.now(), False
    while True:
        now = call.clock.now()
        if now >= says_at:
            said = await _say_position(call, place, said)
            says_at = Instant(now + call.node.settings.position_every_s)
        if callback and (now >= offers_at or (not offered and _is_long(place, callback))):
            await call.caller.say_into_music("callback.offer", skippable=True)
            offered, offers_at = True, now + OFFER_AGAIN_S
        key = await call.caller.key(max(0.0, min(says_at, offers_at) - call.clock.now()))
        if offered and key == CALL_BACK and await _confirmed(call):
            return True


def _way_back(call: Session) -> Callback | None:
    """How the caller could be called back; None when not: not on this line, or the number is not to be rung."""
    if call.line.callback is None or call.kept.callback:
        return None
    there = call.node.promises.way(call.kept.calling_number, call.kept.trunk)
    return call.line.callback if there else None


def _is_long(place: Place, callback: Callback) -> bool:
    return place.expected is not None and place.expected.p50_s >= callback.offer_at_expected_s


async def _confirmed(call: Session) -> bool:
    """Whether the caller, having heard the number, says so once more; otherwise the wait goes on."""
    number = dialled(call.kept.calling_number or "", call.node.settings.region) or ""
    await call.caller.say_into_music("callback.confirm", skippable=True, number=number)
    if await call.caller.key(CONFIRM_WAIT_S) == CALL_BACK:
        return True
    await call.caller.say_into_music("queue.still_waiting", skippable=True)
    return False


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
    said = Told(position if better else said.position, minutes if sooner else said.minutes)
    call.turn(told, told=said)
    keys = ["queue.position"] if better else []
    if sooner:
        keys.append("queue.expected.one" if minutes == 1 else "queue.expected")
    await call.caller.say_into_music(*keys, number=position, minutes=minutes or 0)
    return said
