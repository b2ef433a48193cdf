"""Taking down what a caller says: a message or a complaint, each answered within some working days.

Whoever hangs up after speaking has left one. The promise is on the disk before it is said.
"""

from __future__ import annotations

from calls.facts import ServiceOutcome, VoiceMessageLeft
from ivr.hours import end_of_working_day
from ivr.line import PERSON, Message
from ivr.served import WantsPerson
from ivr.window import Dictation, Matter, Window

LEAST_MS = 800
"""Whoever spoke for less has coughed, or said hello to a machine."""

TRIES = 2
"""So often nothing was said, and there is no message."""

AGAIN = "2"
CHECK_WAIT_S = 4.0
"""To find the key for another try; the message is kept whatever is keyed or not."""


async def take_down(window: Window, matter: Matter, rules: Message, *, person: bool = False) -> ServiceOutcome:
    """Take it down, as often as the caller wants to begin anew; only the last one is kept.

    Where a `person` is offered, 0 asks for one at any time: raises WantsPerson, and what was said until then is kept.
    """
    caller = window.caller
    spoken: Dictation | None = None
    tries = 0
    try:
        while tries < TRIES:
            heard = await caller.say(f"{matter.purpose}.ask")
            caller.forget_keys()
            if person and heard.key == PERSON:
                raise WantsPerson(served=spoken is not None)
            await caller.say("message.tone", skippable=False)
            dictation = window.dictate(matter)
            if dictation is None:
                break
            before = spoken
            try:
                ended = await dictation.take(rules.most_s, rules.quiet_s)
            finally:
                if dictation.spoken_ms >= LEAST_MS:
                    spoken = dictation
                if useless := before if spoken is dictation else dictation:
                    useless.drop()
            if person and ended == "person":
                raise WantsPerson(served=spoken is not None)
            if spoken is not dictation:
                tries += 1
                await caller.say("message.nothing")
            elif not await _wants_another(window, person=person):
                break
    finally:
        if spoken:
            _leave(window, matter, spoken)
    return await _conclude(window, matter, left=spoken is not None, heard_nothing=tries == TRIES)


async def _wants_another(window: Window, *, person: bool) -> bool:
    """Whether the caller would rather say it anew. Raises WantsPerson."""
    await window.caller.say("message.check")
    key = await window.caller.key(CHECK_WAIT_S)
    if person and key == PERSON:
        raise WantsPerson
    return key == AGAIN


async def _conclude(window: Window, matter: Matter, *, left: bool, heard_nothing: bool) -> ServiceOutcome:
    """Say what became of it."""
    caller = window.caller
    if left and await caller.safe():
        await caller.say(f"{matter.purpose}.kept", skippable=False, days=matter.within_days)
        return "done"
    if heard_nothing:
        return "gave_up"
    await caller.say("message.unavailable", skippable=False)
    return "unavailable"


def _leave(window: Window, matter: Matter, dictation: Dictation) -> None:
    window.caller.record(
        VoiceMessageLeft(
            call_id=window.caller.call_id,
            message=dictation.message,
            line=window.line.number,
            about=matter.about,
            calling_number=window.calling_number,
            begun_at=dictation.begun_at,
            length_ms=dictation.length_ms,
            spoken_ms=dictation.spoken_ms,
            due_at=end_of_working_day(window.now(), matter.within_days),
            purpose=matter.purpose,
            visit=matter.visit,
            adviser=matter.adviser,
        )
    )
