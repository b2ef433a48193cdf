"""The satisfaction question, asked by the machine after the adviser's side has ended."""

from __future__ import annotations

from calls.facts import RatingKeyed
from ivr.caller import Caller

SCORES = "12345"
"""The keys are the points: 1 very dissatisfied, 5 very satisfied."""

KEY_WAIT_S = 8.0
"""Seconds to find the key, as long as in the menus."""


async def ask_rating(caller: Caller, visit: str, adviser: str) -> int | None:
    """Ask for 1 to 5 points and thank; None when the caller would rather not say. Records the answer, a hang-up too."""
    score: int | None = None
    caller.forget_keys()  # what was pressed while talking answers another question
    try:
        score = await _score(caller)
    finally:
        caller.record(RatingKeyed(call_id=caller.call_id, visit=visit, adviser=adviser, score=score))
    caller.forget_keys()
    await caller.say("rating.thanks" if score else "goodbye")
    return score


async def wait_for_hang_up(caller: Caller, silence_s: float) -> None:
    """Leave the caller `silence_s` seconds to hang up first, as the rules ask. That cancels this; a key ends it."""
    caller.forget_keys()
    await caller.key(silence_s)


async def _score(caller: Caller) -> int | None:
    """The points, with one more try after a wrong key."""
    for prompt in ("rating.ask", "rating.wrong"):
        await caller.say(prompt)
        key = await caller.key(KEY_WAIT_S)
        if key is None:
            return None
        if key in SCORES:
            return int(key)
        caller.forget_keys()
    return None
