"""五险查询 The accounts with the five insurances: paying or not, months, balance, last payment."""

from __future__ import annotations

from functools import partial

from calls.facts import ServiceOutcome
from ivr.business import Citizen, Insurance
from ivr.offers import Offer
from ivr.served import MOST_AGAIN, personally, wants_again
from ivr.slowly import slower
from ivr.texts import Said
from ivr.window import Window


async def serve(window: Window) -> ServiceOutcome:
    """Say one account after the other; a key goes on to the next."""
    return await personally(window, partial(_tell, window))


async def _tell(window: Window, citizen: Citizen) -> ServiceOutcome:
    caller = window.caller
    accounts = await caller.while_waiting(window.business.insurances(citizen))
    told = [_words(account) for account in accounts]
    offer = Offer(window, *(said for words in told for said in words)) if told else None
    for asked in range(1, MOST_AGAIN + 1):
        for words in told:
            for said in words:
                await caller.say(said.key, skippable=True, **said.values)
            caller.forget_keys()
        if not told:
            await caller.say("insurance.none")
        if not await wants_again(window, offer):
            break
        if excuse := slower(caller, asked, window.about):
            await caller.say(*excuse)
    return "done"


def _words(account: Insurance) -> list[Said]:
    """All that is known of one account."""
    words = [
        Said(f"insurance.{account.kind}"),
        Said("insurance.paying" if account.paying else "insurance.stopped"),
        Said("insurance.months", {"months": account.months}),
    ]
    if account.balance_fen is not None:
        words.append(Said("insurance.balance", {"balance": account.balance_fen}))
    if account.last_month and account.last_paid_fen is not None:
        words.append(Said("insurance.last", {"month": account.last_month, "paid": account.last_paid_fen}))
    return words
