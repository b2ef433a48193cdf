"""Who is calling, before anything personal is said: two factors, what somebody has (an ID or card number) and knows (a PIN).

Who has forgotten the PIN presses * at its question and gets a code by text instead, to the number that the account is bound to.

The calling number is neither. Everything here is private: what is keyed is neither recorded, logged, published nor kept. A
wrong PIN, an account that is not there, and one that is locked sound the same, and take as long.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from ivr.business import Citizen, Identity
from ivr.keying import ID_DIGITS, STAR, is_id_number, key_id_or_card, key_number
from ivr.window import Window

PIN_DIGITS = 6
LEAST_CARD_DIGITS = 8
TRIES = 3
"""To key one number that can be right."""
CODE_WAIT_S = 20.0
"""For the text to come, each time that the code is asked for: a minute in all."""


class _NothingKeyed(Exception):
    """No whole number came, however often it was asked for."""


async def identified(window: Window) -> Citizen | None:
    """Who it is; None when that could not be shown, and the caller was told. Raises NotAvailable."""
    return window.identification.known or await _show(window, _by_pin)


async def identified_by_code(window: Window) -> Citizen | None:
    """As `identified`, and always by a code, whoever is known already: for what a PIN alone must not do."""
    return await _show(window, _by_code)


async def _show(window: Window, way: Callable[[Window, Identity], Awaitable[Citizen | None]]) -> Citizen | None:
    caller = window.caller
    async with caller.private():
        try:
            while window.identification.tries_left:
                if citizen := await way(window, await _ask_identity(window)):
                    await caller.say("id.passed", skippable=False)
                    caller.forget_keys()  # a # after the last digit must not cut the answer off
                    return citizen
                await caller.say("id.failed", skippable=False)
                caller.forget_keys()  # nor be the first of the next number
        except _NothingKeyed:
            await caller.say("id.nothing")
            return None
        await caller.say("id.locked", skippable=False)
    return None


async def _by_pin(window: Window, identity: Identity) -> Citizen | None:
    pin = await _ask_pin(window)
    if pin == STAR:
        return await _by_code(window, identity)
    return await window.caller.while_waiting(window.identification.verify(identity, pin))


async def _by_code(window: Window, identity: Identity) -> Citizen | None:
    """What is said, and for how long, is the same whether or not there is such an account, a number, or a try left."""
    caller, identification = window.caller, window.identification
    await caller.while_waiting(identification.send_code(identity, caller.language))
    code = await _ask_code(window)
    return await caller.while_waiting(identification.verify_code(code))


async def _ask_identity(window: Window) -> Identity:
    """A number that can be right. Raises _NothingKeyed."""
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
    raise _NothingKeyed


async def _ask_pin(window: Window) -> str:
    """Six digits, or STAR from somebody who has forgotten them, where a code can be sent. Raises _NothingKeyed."""
    caller, wait_s, may_forget = window.caller, window.key_wait_s, window.texts.offered
    for prompt in ("pin.ask", *["pin.wrong"] * (TRIES - 1)):
        await caller.say(prompt, *(["pin.forgotten"] if may_forget else []))
        pin = await key_number(caller, PIN_DIGITS, wait_s, star_answers=may_forget)
        if pin is not None and (len(pin) == PIN_DIGITS or pin == STAR):
            return pin
    raise _NothingKeyed


async def _ask_code(window: Window) -> str:
    """Six digits, as soon as the text has come. Raises _NothingKeyed."""
    caller, prompt = window.caller, "code.ask"
    for _ in range(TRIES):
        await caller.say(prompt)
        code = await key_number(caller, PIN_DIGITS, window.key_wait_s, first_s=CODE_WAIT_S)
        if code is not None and len(code) == PIN_DIGITS:
            return code
        prompt = "code.wrong" if code else "code.again"
    raise _NothingKeyed
