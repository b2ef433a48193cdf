"""好差评 The satisfaction question: after the adviser's side has ended, and before a caller goes whom the machine has served.

Five grades, as the field has them; then, where the line's file says so, one more question, and for who gives few points the
way to a complaint. Who was asked and who answered are facts, of advisers and of the machine apart. To ask something else,
write a second question into the line's file.
"""

from __future__ import annotations

from typing import Literal

from calls.facts import MachineRated, RatingFollowedUp, RatingKeyed
from ivr.caller import Caller
from ivr.line import BACK, PERSON
from ivr.served import WantsPerson
from ivr.services import COMPLAINT, use
from ivr.window import Talk, Window

SCORES = "12345"
"""The keys are the points: 1 very dissatisfied, 5 very satisfied."""

KEY_WAIT_S = 8.0
"""Seconds to find the key, as long as in the menus."""

COMPLAIN = "1"
"""The key for leaving a complaint."""

_ELSEWHERE: dict[str, Literal["person", "back"]] = {PERSON: "person", BACK: "back"}


async def ask_rating(window: Window, talk: Talk) -> int | None:
    """Ask for 1 to 5 points for the adviser, and thank; None when the caller would rather not say.

    Records the answer, a hang-up too. Raises WantsPerson: whoever is about to complain may ask for one.
    """
    caller, score = window.caller, None
    caller.forget_keys()  # what was pressed while talking answers another question
    try:
        score = await _score(window)
    finally:
        caller.record(RatingKeyed(call_id=caller.call_id, visit=talk.visit, adviser=talk.adviser, score=score))
    caller.forget_keys()
    if score is None:
        await caller.say("goodbye")
    else:
        await _follow_up(window, score, talk)
    return score


class MachineRating:
    """The question to a caller who was served by the machine and is about to go: once a call, where the line asks it."""

    def __init__(self, window: Window) -> None:
        self._window = window
        self._service: str | None = None
        self._asked = not window.line.rating.machine

    def served(self, service: str) -> None:
        """The machine has answered the caller."""
        self._service = service

    @property
    def due(self) -> bool:
        """Whether a caller who would go now is to be asked."""
        return self._service is not None and not self._asked

    async def ask(self) -> Literal["leaves", "person", "back"] | None:
        """Ask for 1 to 5 points. `leaves`: rated, thanked, and goes; None: keyed nothing of it."""
        caller, self._asked = self._window.caller, True
        key: str | None = None
        try:
            await caller.say("rating.machine")
            key = await caller.key(_wait_s(self._window))
        finally:
            score = int(key) if key and key in SCORES else None
            caller.record(MachineRated(call_id=caller.call_id, service=self._service or "", score=score))
        caller.forget_keys()
        if score is None:
            return _ELSEWHERE.get(key or "")
        try:
            await _follow_up(self._window, score, None)
        except WantsPerson:
            return "person"
        return "leaves"


async def wait_for_hang_up(caller: Caller, silence_s: float) -> None:
    """Leave the caller `silence_s` seconds to hang up first, as the rules ask. That cancels this; a key ends it."""
    caller.forget_keys()
    await caller.key(silence_s)


async def _score(window: Window) -> int | None:
    """The points, with one more try after a wrong key."""
    caller = window.caller
    for prompt in ("rating.ask", "rating.wrong"):
        await caller.say(prompt)
        key = await caller.key(_wait_s(window))
        if key is None:
            return None
        if key in SCORES:
            return int(key)
        caller.forget_keys()
    return None


async def _follow_up(window: Window, score: int, talk: Talk | None) -> None:
    """What the line asks after the points, and the goodbye. `talk`: what was rated; None: the machine. Raises WantsPerson."""
    caller = window.caller
    await _ask_second(window, talk.visit if talk else caller.call_id)
    if score <= window.line.rating.complain_at and await _complains(window):
        await use(COMPLAINT, window.after(talk))
        await caller.say("goodbye")
    else:
        await caller.say("rating.thanks")


async def _ask_second(window: Window, rated: str) -> None:
    """The line's second question, once; records the answer, a hang-up too."""
    caller, second = window.caller, window.line.rating.second
    if second is None:
        return
    key: str | None = None
    try:
        await caller.say(second.prompt)
        key = await caller.key(_wait_s(window))
    finally:
        answer = second.choices.get(key or "")
        caller.record(RatingFollowedUp(call_id=caller.call_id, visit=rated, question=second.prompt, answer=answer))
    caller.forget_keys()


async def _complains(window: Window) -> bool:
    caller = window.caller
    await caller.say("rating.complaint")
    key = await caller.key(_wait_s(window))
    caller.forget_keys()
    if key == PERSON:
        raise WantsPerson(served=False)
    return key == COMPLAIN


def _wait_s(window: Window) -> float:
    """`KEY_WAIT_S`, and longer for whoever has asked for slow speech."""
    return KEY_WAIT_S * (window.line.slow_waits if window.caller.slow else 1.0)
