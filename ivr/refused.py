"""来电被限 Whose number is refused for a while: a blocked one, or one that calls too often.

It is told so in one honest sentence, and never bars the way to help: whoever says by key that a life is in danger goes to
the line's crisis queue, as if the number were any other. Where a line has no such queue, or nobody is there, the caller is
told whom to call instead.
"""

from __future__ import annotations

from typing import Literal

from ivr.flow import give_notice
from ivr.next import Finished, JoinQueue
from ivr.window import Window

Refusal = Literal["blocked", "redials"]
"""`blocked`: somebody put it on the block list. `redials`: too many calls came from it in a few minutes."""

DANGER = "1"
"""The key that says that a life is in danger."""

TRIES = 2
"""So often the way to the crisis queue is said."""


async def tell_refused(window: Window, why: Refusal) -> JoinQueue | Finished:
    """Say that the number is refused, and how help is reached; the notice comes before a conversation, here as everywhere."""
    line, caller = window.line, window.caller
    caller.language = line.language
    crisis = line.crisis(window.now())
    if crisis is None:
        await caller.say(f"refused.{why}", "refused.emergency", "goodbye", skippable=False)
        return Finished("refused")
    if not await _in_danger(window, why):
        await caller.say("goodbye", skippable=False)
        return Finished("refused")
    await give_notice(line.notice, caller)
    return JoinQueue(line.needs(crisis))


async def _in_danger(window: Window, why: Refusal) -> bool:
    """Whether the caller keys it, of two tries."""
    words: tuple[str, ...] = (f"refused.{why}", "refused.crisis")
    for _ in range(TRIES):
        await window.caller.say(*words)
        key = await window.caller.key(window.key_wait_s)
        if key is None or key == DANGER:
            return key == DANGER
        window.caller.forget_keys()
        words = ("refused.crisis",)
    return False
