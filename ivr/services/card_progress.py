"""制卡进度 How far the making of a card is, and where it waits."""

from __future__ import annotations

from functools import partial

from calls.facts import ServiceOutcome
from ivr.business import Citizen
from ivr.served import answer, personally
from ivr.window import Window


async def serve(window: Window) -> ServiceOutcome:
    """Say what state the card is in, and from which day on it can be fetched."""
    return await personally(window, partial(_tell, window))


async def _tell(window: Window, citizen: Citizen) -> ServiceOutcome:
    card = await window.caller.while_waiting(window.business.card(citizen))
    if card is None:
        return await answer(window, "card.none")
    if card.ready_on is None:
        return await answer(window, f"card.{card.state}", digits=card.last_digits)
    return await answer(window, f"card.{card.state}", "card.ready_on", digits=card.last_digits, day=card.ready_on)
