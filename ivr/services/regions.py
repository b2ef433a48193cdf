"""换一个地区 Another region than this line's: the caller says which. A calling number does not say where somebody is insured.

A region is a queue, with a site of its own where it has one, or another number to dial.
"""

from __future__ import annotations

from calls.facts import ServiceOutcome
from ivr.choosing import chosen
from ivr.served import WantsPerson
from ivr.told import say, tell
from ivr.window import Window

REGION = "region"
"""The service by which figures count how often each was chosen."""


async def serve(window: Window) -> ServiceOutcome:
    """Lead to the region's queue, or tell its number. Raises WantsPerson for the queue."""
    regions = window.line.regions
    place = await chosen(window, [region.title for region in regions])
    if place is None:
        return "gave_up"
    region = regions[place]
    there, title = window.for_(region.name), window.line.words(region.title, window.caller.language)
    if region.number is not None:
        await tell(there, REGION, "department.number", title=title, number=region.number)
        return "done"
    await say(there, REGION, "region.queue", title=title)
    raise WantsPerson(queue=region.queue)
