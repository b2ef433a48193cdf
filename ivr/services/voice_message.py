"""留言 A voice message, answered within some working days. Whoever hangs up after speaking has left one.

The promise is on the disk before it is said.
"""

from __future__ import annotations

from calls.facts import ServiceOutcome, VoiceMessageLeft
from ivr.hours import end_of_working_day
from ivr.window import Dictation, Window

LEAST_MS = 800
"""Whoever spoke for less has coughed, or said hello to a machine."""

TRIES = 2
"""So often nothing was said, and there is no message."""

AGAIN = "2"
CHECK_WAIT_S = 4.0
"""To find the key for another try; the message is kept whatever is keyed or not."""


async def serve(window: Window) -> ServiceOutcome:
    """Take one message down, as often as the caller wants to begin anew; only the last one is kept."""
    caller, rules = window.caller, window.line.message
    spoken: Dictation | None = None
    tries = 0
    try:
        while tries < TRIES:
            await caller.say("message.ask")
            caller.forget_keys()
            await caller.say("message.tone", skippable=False)
            dictation = window.dictate(window.about)
            if dictation is None:
                break
            before = spoken
            try:
                await dictation.take(rules.most_s, rules.quiet_s)
            finally:
                if dictation.spoken_ms >= LEAST_MS:
                    spoken = dictation
                if useless := before if spoken is dictation else dictation:
                    useless.drop()
            if spoken is not dictation:
                tries += 1
                await caller.say("message.nothing")
            elif not await _wants_another(window):
                break
    finally:
        if spoken:
            _leave(window, spoken)
    return await _conclude(window, left=spoken is not None, heard_nothing=tries == TRIES)


async def _wants_another(window: Window) -> bool:
    """Whether the caller would rather say it anew."""
    await window.caller.say("message.check")
    return await window.caller.key(CHECK_WAIT_S) == AGAIN


async def _conclude(window: Window, *, left: bool, heard_nothing: bool) -> ServiceOutcome:
    """Say what became of it."""
    caller = window.caller
    if left and await caller.safe():
        await caller.say("message.kept", skippable=False, days=window.line.message.within_days)
        return "done"
    if heard_nothing:
        return "gave_up"
    await caller.say("message.unavailable", skippable=False)
    return "unavailable"


def _leave(window: Window, dictation: Dictation) -> None:
    window.caller.record(
        VoiceMessageLeft(
            call_id=window.caller.call_id,
            message=dictation.message,
            line=window.line.number,
            about=window.about,
            calling_number=window.calling_number,
            begun_at=dictation.begun_at,
            length_ms=dictation.length_ms,
            spoken_ms=dictation.spoken_ms,
            due_at=end_of_working_day(window.now(), window.line.message.within_days),
        )
    )
