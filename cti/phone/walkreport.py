"""What became of a mystery caller's walk: for scripts (JSON) and for people (a table).

Times are ms since the INVITE was sent.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from calls.words import ScreenLanguage
from cti.phone.ears import Sentence
from cti.phone.report import table

Stumble = Literal["too_long", "not_answered", "hung_up", "other_words", "not_heard"]
"""What kept the walk from its end. `other_words`: another sentence than the one to come; `not_heard`: none within its time."""


class WalkStep(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One step of the script: keys pressed, a while waited, or a sentence waited for."""

    at_ms: int
    """When the sentence began, the key was pressed, the wait began."""
    took_ms: int
    """From the end of the step before until the sentence began; 0 when it had begun already."""
    keyed: str | None = None
    """The key; … for several, which may be a secret."""
    waited: bool = False
    wanted: tuple[str, ...] = ()
    heard: Sentence | None = None
    """What was heard, whether it was wanted or not."""


class WalkReport(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One call by a script. `completed`: it was walked to its end; otherwise `reason` says what the last step met."""

    completed: bool
    reason: Stumble | None
    to: str
    calling_number: str
    sip_call_id: str
    connected_ms: int | None
    lasted_ms: int
    closed: str
    """Why the call was closed by the far side; empty: it was not."""
    steps: tuple[WalkStep, ...]
    """Those that were begun."""
    steps_left: int
    heard: tuple[Sentence, ...]
    """Every sentence that was recognised, in order, also after the last step."""

    def json(self) -> str:
        """One line of JSON, UTF-8."""
        return msgspec.json.encode(self).decode()

    def text(self, language: ScreenLanguage) -> str:
        """The same for a person, as a table."""
        word = WORDS[language]
        rows = [] if self.connected_ms is None else [(self.connected_ms, word["connected"], "")]
        rows += [self._row(step, language) for step in self.steps]
        end = f"{word['not completed']}: {word[self.reason]}" if self.reason else word["completed"]
        return "\n".join([f"{self.calling_number} -> {self.to}  SIP {self.sip_call_id}", *table(rows), end])

    def _row(self, step: WalkStep, language: ScreenLanguage) -> tuple[int, str, str]:
        word = WORDS[language]
        if step.keyed:
            return step.at_ms, word["key_sent"], step.keyed
        if step.waited:
            return step.at_ms, word["waited"], ""
        wanted = " / ".join(step.wanted)
        if step.heard is None:
            return step.at_ms, word["nothing"], f"{step.took_ms / 1000:.1f} s  ({wanted})"
        told = f"{step.took_ms / 1000:.1f} s  {step.heard.keys[0]}  {step.heard.language}"
        is_wanted = not set(step.heard.keys).isdisjoint(step.wanted)
        return step.at_ms, word["heard"], told if is_wanted else f"{told}  ({word['wanted']}: {wanted})"


WORDS: dict[ScreenLanguage, dict[str, str]] = {
    "zh-CN": {
        "connected": "接通",
        "key_sent": "按键",
        "waited": "等候",
        "heard": "听到",
        "nothing": "没有听到",
        "wanted": "应当是",
        "completed": "脚本走完",
        "not completed": "脚本没有走完",
        "too_long": "超过最长时间仍未结束",
        "not_answered": "未接通",
        "hung_up": "对方挂断",
        "other_words": "听到的不是应当听到的那一句",
        "not_heard": "应当听到的那一句没有等到",
    },
    "en": {
        "connected": "connected",
        "key_sent": "key sent",
        "waited": "waited",
        "heard": "heard",
        "nothing": "heard nothing",
        "wanted": "wanted",
        "completed": "the script was walked to its end",
        "not completed": "the script was not walked to its end",
        "too_long": "it was not over in time",
        "not_answered": "it was not answered",
        "hung_up": "the far side hung up",
        "other_words": "another sentence was heard than the one to come",
        "not_heard": "the sentence to come was not heard in time",
    },
}
