"""密码重置 Another PIN, for whoever has forgotten theirs: a code by text shows who it is, then the new one is keyed twice."""

from __future__ import annotations

from functools import partial

from calls.facts import ServiceOutcome
from ivr.business import Citizen, Done, NotAllowed
from ivr.identify import PIN_DIGITS, TRIES, identified_by_code
from ivr.keying import key_number
from ivr.served import answer, personally
from ivr.window import Window


async def serve(window: Window) -> ServiceOutcome:
    """Set it, and read the number of that back. Where no text can be sent, nobody is asked anything."""
    if not window.texts.offered:
        await window.caller.say("business.unavailable", skippable=False)
        return "unavailable"
    return await personally(window, partial(_reset, window), identified_by_code)


async def _reset(window: Window, citizen: Citizen) -> ServiceOutcome:
    async with window.caller.private():
        done = await _set(window, citizen)
    if done is None:
        await window.caller.say("pin.unchanged", skippable=False)
        return "gave_up"
    return await answer(window, "pin.changed", reference=done.reference)


async def _set(window: Window, citizen: Citizen) -> Done | None:
    """Ask until one is taken; None when there is none after some tries."""
    caller = window.caller
    excuse: tuple[str, ...] = ()
    for _ in range(TRIES):
        pin = await _key_pin(window, *excuse, "pin.new")
        again = await _key_pin(window, "pin.repeat") if pin else None
        if pin is None or again is None:
            return None
        if pin != again:
            excuse = ("pin.differs",)
            continue
        # Each PIN is another question, and needs a key of its own; set twice, the same PIN is the same.
        key = f"{caller.call_id}.pin_reset.{window.now():%H%M%S%f}"
        try:
            return await caller.while_waiting(window.business.reset_pin(citizen, pin, key))
        except NotAllowed:
            excuse = ("pin.easy",)
    await caller.say(*excuse, skippable=False)
    return None


async def _key_pin(window: Window, *prompts: str) -> str | None:
    """Six digits; None when there are none after some tries."""
    for attempt in range(TRIES):
        await window.caller.say(*(prompts if attempt == 0 else ("pin.wrong",)))
        pin = await key_number(window.caller, PIN_DIGITS, window.key_wait_s)
        if pin is not None and len(pin) == PIN_DIGITS:
            return pin
    return None
