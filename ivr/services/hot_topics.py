"""热点问题播报 What many ask about these days: the titles by key, then the one that was chosen, as long as anybody wants."""

from __future__ import annotations

from calls.facts import ServiceOutcome
from ivr.choosing import chosen
from ivr.information import MOST_TOPICS
from ivr.told import tell
from ivr.window import Window

TOPIC = "topic"
"""The service by which figures count how often each was heard."""


async def serve(window: Window) -> ServiceOutcome:
    """Tell one topic after the other; each that was heard is a fact of its own."""
    line = window.line
    topics = [topic for topic in line.topics if topic.is_told(line.today(window.now()))]
    if not topics:
        await window.caller.say("topic.none")
        return "done"
    outcome: ServiceOutcome = "gave_up"
    for _ in range(2 * MOST_TOPICS):
        place = await chosen(window, [topic.title for topic in topics], served=outcome == "done")
        if place is None:
            break
        topic = topics[place]
        await tell(window.for_(topic.name), TOPIC, "topic.text", text=line.words(topic.text, window.caller.language))
        outcome = "done"
    return outcome
