"""养老金查询 What a retired citizen is paid, and when that was last."""

from __future__ import annotations

from functools import partial

from calls.facts import ServiceOutcome
from ivr.business import Citizen
from ivr.served import answer, personally
from ivr.window import Window


async def serve(window: Window) -> ServiceOutcome:
    """Say the monthly amount and the last day of payment."""
    return await personally(window, partial(_tell, window))


async def _tell(window: Window, citizen: Citizen) -> ServiceOutcome:
    pension = await window.caller.while_waiting(window.business.pension(citizen))
    if pension is None:
        return await answer(window, "pension.none")
    return await answer(window, "pension.paid", by_text=True, amount=pension.monthly_fen, day=pension.paid_on)
