"""挂失 Reporting a social-security card lost: it is blocked first, and only then anything is said."""

from __future__ import annotations

from functools import partial

from calls.facts import ServiceOutcome
from ivr.business import Citizen
from ivr.served import answer, personally
from ivr.window import Window


async def serve(window: Window) -> ServiceOutcome:
    """Block it, and read its number back."""
    return await personally(window, partial(_block, window))


async def _block(window: Window, citizen: Citizen) -> ServiceOutcome:
    blocked = window.business.report_loss(citizen, f"{window.caller.call_id}.card_loss")
    done = await window.caller.while_waiting(blocked)
    return await answer(window, "loss.done", by_text=True, reference=done.reference)
