"""其他部门电话 The numbers of others, for what is not this line's: by key, each said digit by digit, twice."""

from __future__ import annotations

from calls.facts import ServiceOutcome
from ivr.choosing import chosen
from ivr.told import tell
from ivr.window import Window

DEPARTMENT = "department"
"""The service by which figures count how often each was asked for."""

MOST_TOLD = 10


async def serve(window: Window) -> ServiceOutcome:
    """Tell one number after the other, as long as the caller chooses one."""
    departments = window.line.departments
    outcome: ServiceOutcome = "gave_up"
    for _ in range(MOST_TOLD):
        place = await chosen(window, [department.title for department in departments], served=outcome == "done")
        if place is None:
            break
        asked = departments[place]
        title = window.line.words(asked.title, window.caller.language)
        await tell(window.for_(asked.name), DEPARTMENT, "department.number", title=title, number=asked.number)
        outcome = "done"
    return outcome
