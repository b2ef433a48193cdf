"""Titles that a caller chooses from by key: they are data of the line, so their keys are their order in the file.

More than a page of them are offered page by page. What is keyed means what it means in every menu: 0 a person, * once more,
# back.
"""

from __future__ import annotations

from collections.abc import Sequence

from ivr.information import Words
from ivr.line import AGAIN, BACK, PERSON
from ivr.served import WantsPerson
from ivr.slowly import slower
from ivr.window import Window

PAGE = 8
"""So many at a time: the next key is for the next page."""
MORE = "9"

MOST_OFFERS = 12
"""Whoever has heard so many pages finds nothing there."""


async def chosen(window: Window, titles: Sequence[Words], *, served: bool = False) -> int | None:
    """Which of them; None when the caller goes back, keys nothing, or keys wrong too often.

    Raises WantsPerson, who was `served` before or not."""
    caller, line = window.caller, window.line
    pages = [range(first, min(first + PAGE, len(titles))) for first in range(0, len(titles), PAGE)]
    page = failed = in_a_row = 0
    excuse: tuple[str, ...] = ()
    for _ in range(MOST_OFFERS):
        await _offer(window, excuse, [titles[place] for place in pages[page]], more=len(pages) > 1)
        key = await caller.key(window.key_wait_s)
        in_a_row, excuse = in_a_row + 1 if key == AGAIN else 0, ()
        if key == PERSON:
            raise WantsPerson(served=served)
        if key is None or key == BACK:
            break
        if key in "12345678"[: len(pages[page])]:
            return pages[page][int(key) - 1]
        if key == MORE and len(pages) > 1:
            page = (page + 1) % len(pages)
        elif key == AGAIN:
            excuse = slower(caller, in_a_row, window.about)
        else:
            failed += 1
            if failed == line.tries:
                break
            caller.forget_keys()
            excuse = ("key.wrong",)
    return None


async def _offer(window: Window, excuse: tuple[str, ...], titles: Sequence[Words], *, more: bool) -> None:
    caller = window.caller
    if excuse:
        await caller.say(*excuse)
    for key, title in enumerate(titles, start=1):
        await caller.say("choose.one", title=window.line.words(title, caller.language), key=key)
    await caller.say(*(("choose.more",) if more else ()), "answer.again")
