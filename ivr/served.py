"""What services have in common: who the caller is, an answer that can be heard again, and the honest word when it cannot be.

async def serve(window: Window) -> ServiceOutcome:
    return await personally(window, partial(_answer, window))
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

from calls.facts import ServiceOutcome
from faxes import Sheet
from ivr.business import Citizen, NotAllowed, NotAvailable, OutcomeUnknown
from ivr.caller import Value
from ivr.identify import identified
from ivr.line import AGAIN, PERSON
from ivr.offers import BY_TEXT, Offer
from ivr.slowly import slower
from ivr.texts import Said
from ivr.window import Window

MOST_AGAIN = 5
"""So often an answer is said in all."""

FAX_TRIES = 2
"""A second one for whoever pressed the start key too late, or had no paper."""

ONCE_MORE = "1"


class WantsPerson(Exception):
    """The caller asks for a person: 0 means that everywhere. `served`: the machine did what the caller came for before.

    `queue` is where such a person is; None: where this line's are."""

    def __init__(self, *, served: bool = True, queue: str | None = None) -> None:
        self.served, self.queue = served, queue
        super().__init__()


async def personally(
    window: Window,
    serve: Callable[[Citizen], Awaitable[ServiceOutcome]],
    show: Callable[[Window], Awaitable[Citizen | None]] = identified,
) -> ServiceOutcome:
    """Serve somebody who has shown who they are, in the way `show`; whatever hinders that is said."""
    try:
        citizen = await show(window)
        return await serve(citizen) if citizen else "not_identified"
    except NotAvailable:
        await window.caller.say("business.unavailable", skippable=False)
        return "unavailable"
    except OutcomeUnknown:
        await window.caller.say("business.unknown", skippable=False)
        return "unknown"
    except NotAllowed:
        await window.caller.say("business.refused", skippable=False)
        return "refused"


async def answer(window: Window, *keys: str, by_text: bool = False, **values: Value) -> ServiceOutcome:
    """Say the answer, and once more for as often as the caller asks for that by *; `by_text`: offer it by text, too.

    Raises WantsPerson."""
    offer = Offer(window, *(Said(key, values) for key in keys)) if by_text else None
    excuse: tuple[str, ...] = ()
    for asked in range(1, MOST_AGAIN + 1):
        await window.caller.say(*excuse, *keys, skippable=True, **values)
        if not await wants_again(window, offer):
            break
        excuse = slower(window.caller, asked, window.about)
    return "done"


async def wants_again(window: Window, offer: Offer | None = None) -> bool:
    """Whether the caller wants to hear it once more; the offer is made first, and taken. Raises WantsPerson."""
    offered = offer is not None and await offer.stands()
    await window.caller.say(*(["text.offer"] if offered else []), "answer.again")
    key = await window.caller.key(window.key_wait_s)
    if key == PERSON:
        raise WantsPerson
    if offer and offered and key == BY_TEXT:
        await offer.take()
        return await wants_again(window)
    return key == AGAIN


async def faxed(window: Window, document: str, what: Path | Sheet) -> ServiceOutcome:
    """Send it to the machine that the caller calls from, say what came of it, and once more if that is wanted."""
    caller = window.caller
    for tries_left in reversed(range(FAX_TRIES)):
        fax = window.fax()
        if fax is None:
            await caller.say("fax.unavailable", skippable=False)
            return "unavailable"
        await caller.say("fax.start", skippable=False)
        result = await fax.send(document, what)
        if result == "done":
            await caller.say("fax.done", skippable=False)
            return "done"
        await caller.say("fax.failed", skippable=False)
        if not tries_left or not await _wants_once_more(window):
            break
    return "gave_up"


async def _wants_once_more(window: Window) -> bool:
    """Raises WantsPerson."""
    await window.caller.say("fax.again")
    key = await window.caller.key(window.key_wait_s)
    if key == PERSON:
        raise WantsPerson(served=False)
    return key == ONCE_MORE
