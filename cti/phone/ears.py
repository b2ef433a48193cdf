"""The ears of a mystery caller: which sentences came out of the earpiece, and when, on the clock of the call.

    ears = Ears(clips)
    ears.hear(fresh samples, now_ms)   # as they come; nothing when nothing came
    ears.heard                         # the sentences that are over
    ears.hearing                       # the one that is being said, once it can be no other

A phone gets no packets while nobody speaks, and its file has no gap there (`sound.Timeline`). So moments are counted from when
samples came, and a pause is told to the recogniser as silence: it waits for what follows otherwise.
"""

from __future__ import annotations

import bisect
import math

import msgspec
import numpy as np

from calls.words import Language
from cti.phone.places import RATE_HZ
from cti.phone.sound import FULL_SCALE, Samples
from prompts.audio import Samples as Sound
from prompts.hearing import Clips, Prompt, Recogniser

QUIET_MS = 600
"""So long no packet came: nobody speaks. Less may be a busy machine, and would cut a sentence in two."""

WAIT_MS = 100
"""Sound is looked at so much at a time: less would cost more."""


class Sentence(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A sentence that was heard. Times are ms since the call began."""

    keys: tuple[str, ...]
    """Its key in the catalogue; several where the catalogue says the same under each of them."""
    language: Language
    began_ms: int
    ended_ms: int
    whole: bool
    """It was said to its end."""


class Ears:
    """Those of one call."""

    def __init__(self, clips: Clips) -> None:
        self.heard: list[Sentence] = []
        self._recogniser = Recogniser(clips)
        self._waiting: list[Samples] = []
        self._came: list[tuple[int, float]] = [(0, 0.0)]
        """How many samples there were, and at which ms the last of them came."""

    @property
    def hearing(self) -> Sentence | None:
        """What is being said, once it can be no other."""
        prompt = self._recogniser.hearing()
        return self._sentence(prompt) if prompt else None

    def hear(self, fresh: Samples, now_ms: float) -> None:
        """What came since the last time; `now_ms` is after all earlier ones."""
        known, came_ms = self._came[-1]
        if len(fresh):
            self._came.append((known + len(fresh), now_ms))
            self._listen(fresh)
        elif now_ms - came_ms >= QUIET_MS:
            silence = np.zeros(round((now_ms - came_ms) * RATE_HZ / 1000), dtype=np.int16)
            self._came.append((known + len(silence), now_ms))
            self._listen(silence)

    def finish(self) -> None:
        """The call is over: nothing more comes."""
        self._take(self._recogniser.hear(self._collected()) + self._recogniser.finish())

    def _listen(self, samples: Samples) -> None:
        self._waiting.append(samples)
        if sum(map(len, self._waiting)) * 1000 >= WAIT_MS * RATE_HZ:
            self._take(self._recogniser.hear(self._collected()))

    def _collected(self) -> Sound:
        waiting, self._waiting = self._waiting, []
        return np.concatenate([np.zeros(0), *waiting]) / FULL_SCALE

    def _take(self, prompts: list[Prompt]) -> None:
        self.heard += map(self._sentence, prompts)

    def _sentence(self, prompt: Prompt) -> Sentence:
        return Sentence(
            keys=prompt.keys,
            language=prompt.language,
            began_ms=self._moment_ms(prompt.began_s),
            ended_ms=self._moment_ms(prompt.ended_s),
            whole=prompt.whole,
        )

    def _moment_ms(self, seconds: float) -> int:
        """When the sample at that place came: counted back from the first time that it was there."""
        place = round(seconds * RATE_HZ)
        known, came_ms = self._came[min(bisect.bisect_right(self._came, (place, math.inf)), len(self._came) - 1)]
        return max(0, round(came_ms - (known - place) * 1000 / RATE_HZ))
