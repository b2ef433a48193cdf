"""Who is calling, before anything personal is said: two factors, what somebody has (an ID or card number) and knows (a PIN).

The calling number is neither. Everything here is private: what is keyed is neither recorded, logged, published nor kept. A
wrong PIN, an account that is not there, and one that is locked sound the same, and take as long.
"""

from __future__ import annotations

from ivr.business import Citizen, Identity
from ivr.keying import ID_DIGITS, is_id_number, key_id_or_card, key_number
from ivr.window import Window

PIN_DIGITS = 6
LEAST_CARD_DIGITS = 8
TRIES = 3
"""To key one number that can be right."""


async def identified(window: Window) -> Citizen | None:
    """Who it is; None when that could not be shown, and the caller was told. Raises NotAvailable."""
    if known := window.identification.known:
        return known
    async with window.caller.private():
        while window.identification.tries_left:
            identity = await _ask_identity(window)
            pin = await _ask_pin(window) if identity else None
            if identity is None or pin is None:
                await window.caller.say("id.nothing")
                return None
            citizen = await window.caller.while_waiting(window.identification.verify(identity, pin))
            if citizen:
                await window.caller.say("id.passed", skippable=False)
                window.caller.forget_keys()  # a # after the last digit must not cut the answer off
                return citizen
            await window.caller.say("id.failed", skippable=False)
        await window.caller.say("id.locked", skippable=False)
    return None


async def _ask_identity(window: Window) -> Identity | None:
    """A number that can be right; None when there is none after some tries."""
    caller, wait_s = window.caller, window.key_wait_s
    for prompt in ("id.ask", *["id.wrong"] * (TRIES - 1)):
        await caller.say(prompt)
        number = await key_id_or_card(caller, wait_s)
        if number is None:
            continue
        if is_id_number(number):
            return Identity("id_card", number)
        if len(number) >= LEAST_CARD_DIGITS and len(number) != ID_DIGITS:  # an ID number with a wrong digit is no card
            return Identity("card", number)
    return None


async def _ask_pin(window: Window) -> str | None:
    caller, wait_s = window.caller, window.key_wait_s
    for prompt in ("pin.ask", *["pin.wrong"] * (TRIES - 1)):
        await caller.say(prompt)
        pin = await key_number(caller, PIN_DIGITS, wait_s)
        if pin is not None and len(pin) == PIN_DIGITS:
            return pin
    return None
