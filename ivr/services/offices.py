"""网点查询 Where to go: the city's areas by key, then the offices of one, the nearest first.

What is told was fetched and rendered ahead. When it is not known, that is said, and a person goes on.
"""

from __future__ import annotations

from collections.abc import Sequence

from calls.facts import ServiceOutcome
from ivr.business import Office
from ivr.caller import Value
from ivr.choosing import chosen
from ivr.line import AGAIN, PERSON
from ivr.served import WantsPerson
from ivr.slowly import slower
from ivr.window import Window

NEXT, PREVIOUS = "1", "2"

MOST_AREAS = 5
"""Whoever has asked for so many is not looking for an office."""
MOST_TOLD = 20


async def serve(window: Window) -> ServiceOutcome:
    """Tell of one area after the other, as long as the caller chooses one."""
    areas = window.line.areas
    outcome: ServiceOutcome = "gave_up"
    for _ in range(MOST_AREAS):
        place = await chosen(window, [area.title for area in areas], served=outcome == "done")
        if place is None:
            break
        offices = window.offices(areas[place].area)
        if offices is None:
            await window.caller.say("office.unavailable", skippable=False)
            return "unavailable"
        if offices:
            await _walk(window, offices)
        else:
            await window.caller.say("office.none")
        outcome = "done"
    return outcome


async def _walk(window: Window, offices: Sequence[Office]) -> None:
    """From one to the next, back, and once more, by key; any other key ends it."""
    caller, place, in_a_row = window.caller, 0, 0
    excuse: tuple[str, ...] = ()
    for _ in range(MOST_TOLD):
        await _tell(window, excuse, offices[place], first=place == 0, last=place == len(offices) - 1)
        key = await caller.key(window.key_wait_s)
        in_a_row, excuse = in_a_row + 1 if key == AGAIN else 0, ()
        if key == PERSON:
            raise WantsPerson
        if key == NEXT and place < len(offices) - 1:
            place += 1
        elif key == PREVIOUS and place > 0:
            place -= 1
        elif key == AGAIN:
            excuse = slower(caller, in_a_row, window.about)
        else:
            break


async def _tell(window: Window, excuse: tuple[str, ...], office: Office, *, first: bool, last: bool) -> None:
    said = [*excuse, "office.at"]
    values: dict[str, Value] = {"name": office.name, "address": office.address, "hours": office.hours}
    if office.telephone:
        said.append("office.telephone")
        values["telephone"] = office.telephone
    said += [] if last else ["office.next"]
    said += [] if first else ["office.previous"]
    await window.caller.say(*said, "answer.again", skippable=True, **values)
