"""五险查询 The accounts with the five insurances: paying or not, months, balance, last payment."""

from __future__ import annotations

from functools import partial

from calls.facts import ServiceOutcome
from ivr.business import Citizen, Insurance
from ivr.caller import Value
from ivr.served import MOST_AGAIN, personally, wants_again
from ivr.window import Window


async def serve(window: Window) -> ServiceOutcome:
    """Say one account after the other; a key goes on to the next."""
    return await personally(window, partial(_tell, window))


async def _tell(window: Window, citizen: Citizen) -> ServiceOutcome:
    caller = window.caller
    accounts = await caller.while_waiting(window.business.insurances(citizen))
    for _ in range(MOST_AGAIN):
        for account in accounts:
            await _say(window, account)
        if not accounts:
            await caller.say("insurance.none")
        if not await wants_again(window):
            break
    return "done"


async def _say(window: Window, account: Insurance) -> None:
    keys = [
        f"insurance.{account.kind}",
        "insurance.paying" if account.paying else "insurance.stopped",
        "insurance.months",
    ]
    values: dict[str, Value] = {"months": account.months}
    if account.balance_fen is not None:
        keys.append("insurance.balance")
        values["balance"] = account.balance_fen
    if account.last_month and account.last_paid_fen is not None:
        keys.append("insurance.last")
        values |= {"month": account.last_month, "paid": account.last_paid_fen}
    for key in keys:
        await window.caller.say(key, skippable=True, **values)
    window.caller.forget_keys()
