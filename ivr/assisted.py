"""协助验证身份 Assisted identification: the machine asks on behalf of an adviser, who learns only whether it is so."""

from __future__ import annotations

from calls.facts import AssistedOutcome
from ivr.business import NotAvailable
from ivr.identify import identified
from ivr.window import Window


async def show_who_it_is(window: Window) -> AssistedOutcome:
    """Have the caller show it, and say what hinders it. Who has shown it in this call need not do so again."""
    caller, identification = window.caller, window.identification
    if identification.known:
        return "verified"
    caller.forget_keys()  # what was pressed while talking answers nothing here
    await caller.say("assist.begin")
    tries = identification.tries_left
    try:
        if await identified(window):
            return "verified"
    except NotAvailable:
        await caller.say("business.unavailable", skippable=False)
        return "unavailable"
    return "failed" if identification.tries_left < tries or not tries else "gave_up"
