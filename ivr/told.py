"""Something that is told, each hearing of it a fact: figures say what callers wanted to know."""

from __future__ import annotations

from calls.clock import ms_between
from calls.facts import ServiceOutcome, ServiceUsed
from ivr.caller import Value
from ivr.served import MOST_AGAIN, wants_again
from ivr.slowly import slower
from ivr.window import Window


async def tell(window: Window, service: str, key: str, **values: Value) -> None:
    """Say it, and again for as often as * is keyed. Raises WantsPerson."""
    for asked in range(1, MOST_AGAIN + 1):
        await say(window, service, key, **values)
        if not await wants_again(window):
            break
        if excuse := slower(window.caller, asked, window.about):
            await window.caller.say(*excuse)


async def say(window: Window, service: str, key: str, **values: Value) -> None:
    """Say it once."""
    caller, began = window.caller, window.caller.clock.now()
    outcome: ServiceOutcome = "hung_up"
    try:
        heard = await caller.say(key, skippable=True, **values)
        outcome = "done" if heard.whole else "gave_up"
    finally:
        caller.record(
            ServiceUsed(
                call_id=caller.call_id,
                service=service,
                about=window.about,
                outcome=outcome,
                lasted_ms=ms_between(began, caller.clock.now()),
            )
        )
