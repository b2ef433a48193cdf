"""The sound of a call, as it comes -> the sentences said in it.

Where a head (or, should that be lost, what follows it) looks like the sound, the clip is laid over it and followed for as
long as it agrees (`agreement.py`). Whatever explains more of the sound wins: 养老保险 is a sentence of its own, and a
part of a menu. Within what is explained nothing is looked for.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from calls.words import Language
from prompts.hearing.agreement import STEP, Agreement
from prompts.hearing.clips import ANCHOR, Clips
from prompts.hearing.features import BANDS, HOP, Frames, Picture, likeness, rows_in, seconds

LOOKS_LIKE = 0.68
"""Likeness of a beginning from which on it is followed: low, because what is wrong is found out later."""

NEAR = rows_in(1.0)
"""All that begins within this is followed: what comes first may only look like it."""

PEAK = rows_in(0.1)
"""A beginning is where it looks most like it, within this to either side."""

LOST = rows_in(0.5)
"""So much of a head may be lost: it would have to be where something else was said, or before the sound."""

ALIKE_ENOUGH, SHORT_ALIKE_ENOUGH = 0.75, 0.81
"""Likeness of what was said to the sentence that it is: through a bad line 0.82 and more; of other words 0.71 and less, and
0.8 where they are few, since there are so many of them. The latter is asked of what is short, and of what breaks off."""

SHORT_S = 1.3
"""A sentence that breaks off before so much of it was heard is nobody's."""

HEADLESS_S = 2.5
"""Without its head, less may be the words of any other, unless it was said to its end."""

LESS_ALIKE = 0.05
FAR = rows_in(1.0)
"""Two windows that happen to agree, and two that did not: so much further another sentence may seem to go."""


ALIKE = rows_in(0.6)
"""Sentences that agree to within this as far, a window and a little, may have ended at the same place."""


FLUSH = rows_in(2.0)
"""So much silence lets everything that was said come to its end."""


class Prompt(msgspec.Struct, frozen=True, kw_only=True):
    """A sentence that was said. Seconds since the first sample."""

    keys: tuple[str, ...]
    """Its key; several where the catalogue says the same under each of them."""
    language: Language
    began_s: float
    ended_s: float
    """To a quarter of a second, where it was cut off."""
    whole: bool
    """It was said to its end."""
    likeness: float
    """To the sentence as it was built: 1 is the same."""


class Recogniser:
    """The ears of one call."""

    def __init__(self, clips: Clips) -> None:
        self._clips = clips
        self._picture = Picture()
        self._from = 0
        """The row from which on a beginning is looked for."""
        self._explained = 0
        """The row up to which all that was said is known."""
        self._known = 0
        """What ends before this row is a part of what is known already."""
        self._looked = 0
        self._looks: Frames = np.zeros((0, len(clips.anchors)), dtype=np.float32)
        """How much the sound from row `_looked` on looks like each anchor."""
        self._following: list[Agreement] = []

    def hear(self, samples: NDArray[np.float64]) -> list[Prompt]:
        """More of the sound (-1..1, 8 kHz): the sentences that are over now."""
        self._picture.add(samples)
        self._look()
        found: list[Prompt] = []
        while self._follow(found):
            pass
        return found

    def hearing(self) -> Prompt | None:
        """The sentence that is being said, as soon as it can be no other."""
        likely = self._likely()
        if not likely or (best := _best(likely)).over:
            return None
        alike = [each for each in self._following if each.likeness >= best.likeness - LESS_ALIKE]
        return None if _could_be_another(best, alike) else _prompt(best)

    def finish(self) -> list[Prompt]:
        """There is no more sound: what was being said."""
        return self.hear(np.zeros(FLUSH * HOP))

    def _look(self) -> None:
        """Compare what has come since with every anchor, and forget what will not be asked again."""
        done = self._looked + len(self._looks)
        rows = self._picture.rows(done, len(self._picture)) - self._clips.mean
        if len(rows) < ANCHOR:
            return
        pictures = np.lib.stride_tricks.sliding_window_view(rows, (ANCHOR, BANDS))[:, 0]
        fresh = likeness(pictures) @ self._clips.matrix
        keep = min(self._from - self._looked, len(self._looks))
        self._looks = np.concatenate([self._looks[keep:], fresh])
        self._looked += keep

    def _follow(self, found: list[Prompt]) -> bool:
        """One step; False when there is nothing to be done before more sound comes."""
        if not self._following:
            return self._begin()
        for each in self._following:
            each.go_on(self._picture, self._clips.mean)
        if not all(each.over for each in self._following):
            return False
        likely = self._likely()
        if likely and not _is_ambiguous(best := _best(likely), likely):
            found.append(_prompt(best))
            # Where it was cut off is known to a step: what follows may have begun before.
            self._known = best.end + STEP
            self._explained = best.end if best.whole else best.end - STEP
            self._from = max(best.end if best.whole else self._explained - LOST, self._from + 1)
        else:
            self._from += 1
        self._following = []
        return True

    def _likely(self) -> list[Agreement]:
        return [each for each in self._following if _is_likely(each) and self._is_news(each)]

    def _is_news(self, agreement: Agreement) -> bool:
        """Whether it is no part of what is known: few words are in many a sentence, also in one that was cut off there."""
        is_short = seconds(agreement.compared) < SHORT_S
        return agreement.end > self._known and not (is_short and agreement.start < self._known - STEP)

    def _begin(self) -> bool:
        """Find the next beginning; whether there is one."""
        looks = self._looks[max(0, self._from - self._looked) :]
        first = self._looked + len(self._looks) - len(looks)
        like = np.flatnonzero(looks.max(axis=1, initial=-1.0) >= LOOKS_LIKE)
        if not len(like):
            self._from = first + len(looks)
            return False
        at = int(like[0])
        self._from = first + at
        if at + NEAR + PEAK > len(looks):
            return False  # it may look more like it in a moment
        begins: list[Agreement] = []
        for row, column in _peaks(looks[at : at + NEAR + PEAK]):
            anchor = self._clips.anchors[column]
            start = self._from + row - anchor.at
            # A head may be lost where the sound begins; anywhere else, what goes on like a sentence is another one.
            if start <= 0 if anchor.at else start >= self._explained - LOST:
                begins.append(Agreement(anchor.clip, start, anchor.at))
        self._following = begins
        self._from += not begins
        return True


def _peaks(looks: Frames) -> Iterator[tuple[int, int]]:
    """Where in `NEAR` rows it looks most like which anchor: row and column."""
    for column in np.flatnonzero(looks.max(axis=0) >= LOOKS_LIKE):
        look = looks[:, column]
        for row in np.flatnonzero(look[:NEAR] >= LOOKS_LIKE):
            if look[row] >= look[max(0, row - PEAK) : row + PEAK + 1].max():
                yield int(row), int(column)


def _is_likely(agreement: Agreement) -> bool:
    """Whether so much of it agrees, and so well, that it was said."""
    compared_s = seconds(agreement.compared)
    if agreement.headless and compared_s < HEADLESS_S:
        return agreement.whole and compared_s >= SHORT_S and agreement.likeness >= SHORT_ALIKE_ENOUGH
    if compared_s >= SHORT_S:
        return agreement.likeness >= (ALIKE_ENOUGH if agreement.whole else SHORT_ALIKE_ENOUGH)
    return agreement.whole and agreement.likeness >= SHORT_ALIKE_ENOUGH


def _is_ambiguous(best: Agreement, likely: Sequence[Agreement]) -> bool:
    """Whether it broke off where another sentence does, too: it cannot be known which of them it was."""
    return not best.whole and _could_be_another(best, likely)


def _could_be_another(best: Agreement, likely: Sequence[Agreement]) -> bool:
    """Whether another sentence agrees about as far."""
    return any(other.clip.keys != best.clip.keys and other.end >= best.end - ALIKE for other in likely)


def _best(agreements: Sequence[Agreement]) -> Agreement:
    """What agrees furthest; of what agrees about as far, what is whole, has a head, and agrees better, in this order.

    What is much less alike than another one near its end only happens to go on."""
    furthest = max(each.end for each in agreements)
    alike = max(each.likeness for each in agreements if each.end >= furthest - FAR)
    agreements = [each for each in agreements if each.likeness >= alike - LESS_ALIKE]
    furthest = max(each.end for each in agreements)
    about_as_far = [each for each in agreements if each.end >= furthest - ALIKE]
    return max(about_as_far, key=lambda each: (each.whole, not each.headless, each.likeness))


def _prompt(agreement: Agreement) -> Prompt:
    return Prompt(
        keys=agreement.clip.keys,
        language=agreement.clip.language,
        began_s=round(seconds(max(0, agreement.start)), 2),
        ended_s=round(seconds(agreement.end), 2),
        whole=agreement.whole,
        likeness=agreement.likeness,
    )
