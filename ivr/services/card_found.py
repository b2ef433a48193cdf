"""解挂 Undoing the report of a lost card: it has been found."""

from __future__ import annotations

from functools import partial

from calls.facts import ServiceOutcome
from ivr.business import Citizen
from ivr.served import answer, personally
from ivr.window import Window


async def serve(window: Window) -> ServiceOutcome:
    """Unblock it, and read the number of that back."""
    return await personally(window, partial(_unblock, window))


async def _unblock(window: Window, citizen: Citizen) -> ServiceOutcome:
    unblocked = window.business.undo_loss(citizen, f"{window.caller.call_id}.card_found")
    done = await window.caller.while_waiting(unblocked)
    return await answer(window, "found.done", by_text=True, reference=done.reference)
