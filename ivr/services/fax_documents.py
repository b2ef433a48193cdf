"""索取传真 A document of the city's, by fax, to the machine that the caller calls from.

On this very call: no number that somebody keys is dialled, so nobody can send a stranger faxes, or us to an expensive number.
"""

from __future__ import annotations

from pathlib import Path

from calls.facts import ServiceOutcome
from ivr.line import AGAIN, BACK, PERSON, Document
from ivr.served import WantsPerson, faxed
from ivr.slowly import slower
from ivr.window import Window


async def serve(window: Window) -> ServiceOutcome:
    """Offer the documents, and send the one that is chosen."""
    document = await _chosen(window)
    if document is None:
        return "gave_up"
    return await faxed(window, document.name, Path(document.file))


async def _chosen(window: Window) -> Document | None:
    """None: none of them is wanted, or the keys do not work. Raises WantsPerson."""
    line, caller = window.line, window.caller
    excuse: tuple[str, ...] = ()
    in_a_row = 0
    for _ in range(line.tries):
        await caller.say(*excuse, "fax.choose")
        for key, document in line.faxes.items():
            await caller.say(document.title, "fax.key", key=key)
        await caller.say("fax.leave")
        keyed = await caller.key(window.key_wait_s)
        if keyed == PERSON:
            raise WantsPerson(served=False)
        if keyed == BACK:
            return None
        if chosen := line.faxes.get(keyed or ""):
            return chosen
        if keyed == AGAIN:
            in_a_row += 1
            excuse = slower(caller, in_a_row, window.about)
        else:
            in_a_row = 0
            excuse = ("key.missing" if keyed is None else "key.wrong",)
            caller.forget_keys()
    return None
