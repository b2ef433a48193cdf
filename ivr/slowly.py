"""Slow speech, for whoever asks: who keys * and then * again in the same place hears it slowly, and so to the end of the call.

An old caller who did not follow asks for it again, and then once more; no other key has to be known, and none is taken.
"""

from __future__ import annotations

from calls.facts import SlowSpeechBegun
from ivr.caller import Caller

ASKED_AGAIN = 2
"""So often in a row, in one place."""


def slower(caller: Caller, asked: int, where: str) -> tuple[str, ...]:
    """The caller asks to hear it again, for the `asked`th time in a row; what is to be said before it is."""
    if asked < ASKED_AGAIN or caller.slow:
        return ()
    caller.slow = True
    caller.record(SlowSpeechBegun(call_id=caller.call_id, asked_in=where))
    return ("slow.begun",)
