"""社保卡激活 Activating a card that was fetched."""

from __future__ import annotations

from functools import partial

from calls.facts import ServiceOutcome
from ivr.business import Citizen
from ivr.served import answer, personally
from ivr.window import Window


async def serve(window: Window) -> ServiceOutcome:
    """Activate it, and read the number of that back."""
    return await personally(window, partial(_activate, window))


async def _activate(window: Window, citizen: Citizen) -> ServiceOutcome:
    activated = window.business.activate_card(citizen, f"{window.caller.call_id}.card_activation")
    done = await window.caller.while_waiting(activated)
    return await answer(window, "activation.done", by_text=True, reference=done.reference)
