"""A caller who follows a script, behind the same `Caller` as a real one, under a clock that only the script moves.

`answers` are what the caller does each time a key is waited for: a key, None for doing nothing, or `HANG_UP`; when
they run out, nothing is done. `pressed_during` are the keys pressed while a prompt is said, `hang_up_during` is the
prompt in the middle of which the caller leaves. `faxes` is what comes of each fax; later ones
arrive.
A hang-up cancels, as it does on a real line.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, TypeVar

from calls.clock import Instant
from calls.facts import AnyFact, FaxResult
from calls.words import FIRST_LANGUAGE, Language
from cti.business.absent import NoBusiness
from cti.sms import NoTexts
from faxes import Sheet
from ivr.business import Business, Citizen, Identity, Office
from ivr.caller import Heard, Value
from ivr.line import PERSON, Line
from ivr.next import Reached
from ivr.texts import Said, Text, Texts
from ivr.window import DictationEnded, Matter, Window
from prompts.catalogue import CATALOGUE, Catalogue, Slot

HANG_UP: Final = "hang up"
PROMPT_MS = 3000
"""Every prompt lasts this long; keys and hang-ups during one come in its middle."""
CODE: Final = "271828"
"""What is sent by text."""
THINKING_MS = 1000
"""A scripted key comes so long after the prompt."""

Answer = str | None

OWN_WORDS = {
    key: tuple(part.name for part in sentence.parts if isinstance(part, Slot) and part.kind == "words")
    for key, sentence in Catalogue.load(CATALOGUE).sentences[FIRST_LANGUAGE].items()
}
"""The slots of each sentence that a text is said in."""

T = TypeVar("T")


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
        speaks_ms: Iterable[int] | None = (),
        faxes: Iterable[FaxResult] | None = (),
    ) -> None:
        self.call_id = "call-1"
        self.language: Language = FIRST_LANGUAGE
        self.slow = False
        self.clock = ScriptedClock()
        self.answers = deque(answers)
        self.pressed_during = dict(pressed_during or {})
        self.hang_up_during = hang_up_during
        self.speaks_ms = None if speaks_ms is None else deque(speaks_ms)
        self.waiting_keys: deque[str] = deque()
        self.said: list[str] = []
        self.own_words: list[str] = []
        """The city's own words among it."""
        self.languages: list[Language] = []
        self.slowly: list[bool] = []
        self.values: dict[str, Value] = {}
        self.waits_s: list[float] = []
        self.facts: list[AnyFact] = []
        self.disk_full = False
        self.offices: Mapping[str, Sequence[Office]] = {}
        """What is known of them, by their area."""
        self.in_private = False
        self.keyed_in_private = 0
        self.dictations: list[ScriptedDictation] = []
        self.matters: list[Matter] = []
        self.reached: list[Reached] = []
        self.fax_results = None if faxes is None else deque(faxes)
        self.faxed: list[tuple[str, Path | Sheet]] = []
        """What was sent, or tried to be."""

    def window(
        self,
        line: Line,
        at: datetime | None = None,
        business: Business | None = None,
        texts: Texts | None = None,
    ) -> Window:
        """Where this caller is served; it is `at` all the time, where that is given; behind it is `business`, or none."""
        behind = business or NoBusiness()
        return Window(
            caller=self,
            line=line,
            calling_number="+8613800001111",
            about="",
            now=lambda: at or self.clock.utc(),
            identification=ScriptedIdentification(behind, texts),
            business=behind,
            texts=texts or NoTexts(),
            dictate=self._dictate,
            offices=self.offices.get,
            reach=self.reached.append,
            fax=lambda: None if self.fax_results is None else ScriptedFax(self, self.fax_results),
        )

    def _dictate(self, matter: Matter) -> ScriptedDictation | None:
        if self.speaks_ms is None:
            return None
        self.matters.append(matter)
        dictation = ScriptedDictation(self, f"{self.call_id}.m{len(self.dictations) + 1}")
        self.dictations.append(dictation)
        return dictation

    @asynccontextmanager
    async def private(self) -> AsyncIterator[None]:
        assert not self.in_private, "private already"
        self.in_private = True
        try:
            yield
        finally:
            self.in_private = False

    async def while_waiting(self, work: Awaitable[T]) -> T:
        return await work

    async def safe(self) -> bool:
        return not self.disk_full

    async def say(self, *keys: str, skippable: bool = True, **values: Value) -> Heard:
        self.values.update(values)
        heard_ms = 0
        for key in keys:
            if skippable and self.waiting_keys:
                return Heard(heard_ms, False, self.waiting_keys[0])
            self.said.append(key)
            self.own_words += [str(values[slot]) for slot in OWN_WORDS.get(key, ()) if slot in values]
            self.languages.append(self.language)
            self.slowly.append(self.slow)
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
        self.keyed_in_private += self.in_private
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


class ScriptedDictation:
    """A message of the caller, who speaks for as long as the script says, nothing when it says no more; then does what the
    next answer is: a key, a hang-up, or nothing."""

    def __init__(self, caller: ScriptedCaller, message: str) -> None:
        self.message, self.begun_at = message, caller.clock.utc()
        self.length_ms = self.spoken_ms = 0
        self.dropped = False
        self._caller = caller

    async def take(self, most_s: float, quiet_s: float) -> DictationEnded:
        self.spoken_ms = self._caller.speaks_ms.popleft() if self._caller.speaks_ms else 0
        self.length_ms = self.spoken_ms
        key = await self._caller.key(quiet_s)
        self.length_ms += 0 if key else round(quiet_s * 1000)
        return "person" if key == PERSON else "key" if key else "quiet"

    def drop(self) -> None:
        self.dropped = True


class ScriptedFax:
    """A fax of which comes what the script says, a minute later."""

    def __init__(self, caller: ScriptedCaller, results: deque[FaxResult]) -> None:
        self._caller, self._results = caller, results

    async def send(self, document: str, what: Path | Sheet) -> FaxResult:
        self._caller.faxed.append((document, what))
        self._caller.clock.ms += 60_000
        return self._results.popleft() if self._results else "done"


class ScriptedIdentification:
    """Three tries, and nobody counts those of other calls."""

    def __init__(self, business: Business, texts: Texts | None) -> None:
        self.known: Citizen | None = None
        self.tries_left = 3
        self._business, self._texts = business, texts or NoTexts()
        self._identity: Identity | None = None

    async def verify(self, identity: Identity, pin: str) -> Citizen | None:
        self.tries_left -= 1
        self.known = await self._business.verify(identity, pin)
        self._identity = identity if self.known else None
        return self.known

    async def send_code(self, identity: Identity, language: Language) -> None:
        self.tries_left -= 1
        self._identity = identity
        if number := await self._business.bound_number(identity):
            said = (Said("text.code", {"code": CODE}),)
            self._texts.send_secret(Text("call-1", "code", number, "bound", language, said))

    async def verify_code(self, code: str) -> Citizen | None:
        number = await self.bound_number()
        if not number or not self._identity or code != CODE:
            return None
        self.known = await self._business.verify_by_number(self._identity, number)
        return self.known

    async def bound_number(self) -> str | None:
        return await self._business.bound_number(self._identity) if self._identity else None
