"""A caller who follows a script, behind the same `Caller` as a real one, under a clock that only the script moves.

`answers` are what the caller does each time a key is waited for: a key, None for doing nothing, or `HANG_UP`; when
they run out, nothing is done. `pressed_during` are the keys pressed while a prompt is said, `hang_up_during` is the
prompt in the middle of which the caller leaves. A hang-up cancels, as it does on a real line.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

from calls.clock import Instant
from calls.facts import AnyFact
from calls.words import FIRST_LANGUAGE, Language
from ivr.caller import Heard, Value

HANG_UP: Final = "hang up"
PROMPT_MS = 3000
"""Every prompt lasts this long; keys and hang-ups during one come in its middle."""
THINKING_MS = 1000
"""A scripted key comes so long after the prompt."""

Answer = str | None


class ScriptedClock:
    """Stands still until told."""

    def __init__(self) -> None:
        self.ms = 0

    def now(self) -> Instant:
        return Instant(self.ms / 1000)

    def utc(self) -> datetime:
        return datetime(2026, 11, 23, 2, 0, tzinfo=UTC) + timedelta(milliseconds=self.ms)


class ScriptedCaller:
    """Does what the script says and remembers what was said to it."""

    def __init__(
        self,
        answers: Iterable[Answer] = (),
        *,
        pressed_during: Mapping[str, str] | None = None,
        hang_up_during: str | None = None,
    ) -> None:
        self.call_id = "call-1"
        self.language: Language = FIRST_LANGUAGE
        self.clock = ScriptedClock()
        self.answers = deque(answers)
        self.pressed_during = dict(pressed_during or {})
        self.hang_up_during = hang_up_during
        self.waiting_keys: deque[str] = deque()
        self.said: list[str] = []
        self.languages: list[Language] = []
        self.values: dict[str, Value] = {}
        self.waits_s: list[float] = []
        self.facts: list[AnyFact] = []

    async def say(self, *keys: str, skippable: bool = True, **values: Value) -> Heard:
        self.values.update(values)
        heard_ms = 0
        for key in keys:
            if skippable and self.waiting_keys:
                return Heard(heard_ms, False, self.waiting_keys[0])
            self.said.append(key)
            self.languages.append(self.language)
            if key == self.hang_up_during:
                self._pass(PROMPT_MS // 2)
                raise asyncio.CancelledError
            pressed = self.pressed_during.pop(key, "")
            self.waiting_keys.extend(pressed)
            cut_off = skippable and pressed
            lasted = PROMPT_MS // 2 if cut_off else PROMPT_MS
            self._pass(lasted)
            heard_ms += lasted
            if cut_off:
                return Heard(heard_ms, False, pressed[0])
        return Heard(heard_ms, True)

    async def key(self, wait_s: float) -> str | None:
        self.waits_s.append(wait_s)
        if self.waiting_keys:
            return self.waiting_keys.popleft()
        answer = self.answers.popleft() if self.answers else None
        self._pass(THINKING_MS if answer else round(wait_s * 1000))
        if answer == HANG_UP:
            raise asyncio.CancelledError
        return answer

    def forget_keys(self) -> None:
        self.waiting_keys.clear()

    def record(self, fact: AnyFact) -> None:
        self.facts.append(fact)

    def _pass(self, ms: int) -> None:
        self.clock.ms += ms
