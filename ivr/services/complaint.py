"""投诉和建议 A complaint or a suggestion by voice, marked as one, with a promise of its own; 0 leads to a person at any time.

After a conversation it is about that conversation and its adviser (`Window.talk`), whom it does not reach by itself.
"""

from __future__ import annotations

from calls.facts import ServiceOutcome
from ivr.takedown import take_down
from ivr.window import Matter, Window


async def serve(window: Window) -> ServiceOutcome:
    """Take one complaint down. Raises WantsPerson."""
    rules, talk = window.line.complaint, window.talk
    matter = Matter(
        about=window.about,
        within_days=rules.within_days,
        purpose="complaint",
        visit=talk.visit if talk else None,
        adviser=talk.adviser if talk else None,
    )
    return await take_down(window, matter, rules, person=True)
