"""留言 A voice message, answered within some working days."""

from __future__ import annotations

from calls.facts import ServiceOutcome
from ivr.takedown import take_down
from ivr.window import Matter, Window


async def serve(window: Window) -> ServiceOutcome:
    """Take one message down."""
    rules = window.line.message
    return await take_down(window, Matter(about=window.about, within_days=rules.within_days), rules)
