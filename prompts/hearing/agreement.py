"""How far a sound goes on agreeing with one sentence, from a beginning that looked like it.

The two are compared window by window. Each may be a row earlier or later than the one before it: clocks differ, and a
packet that was lost or came twice moves all that follows. One window that does not agree is a click; two in a row, and it
is another sentence, or this one was cut off.
"""

from __future__ import annotations

import numpy as np

from prompts.hearing.clips import Clip
from prompts.hearing.features import Frames, Picture, likeness, rows_in

WINDOW = rows_in(0.512)
STEP = WINDOW // 2
AGREES = 0.55
"""Likeness of a window from which on it agrees: the same words through a bad line are above, other words below."""

LESS = 0.3
"""... and so much less than the windows before it, on a line that is good, it does not."""

SLACK = 1
"""Rows that a window may lie beside where the one before it expects it."""


class Agreement:
    """One clip, laid over the sound so that its first row is at `start`."""

    def __init__(self, clip: Clip, start: int, first: int = 0) -> None:
        """What comes before row `first` of the clip is not looked at: it may be lost."""
        self.clip, self.start = clip, start
        self._first = first
        self.agreed = 0
        """Rows of the clip, up to the end of the last window that agreed."""
        self.over = False
        """Nothing more is to be looked at: see `whole`."""
        self._windows = _windows(clip, first)
        self._next = 0
        self._failed = 0
        self._drift = 0
        self._likenesses: list[float] = []

    @property
    def whole(self) -> bool:
        """Whether it agreed to its end; the last window alone is a click, as any other is."""
        return self.agreed >= self.clip.voiced - STEP

    @property
    def headless(self) -> bool:
        """Whether its head was not looked at."""
        return self._first > 0

    @property
    def compared(self) -> int:
        """Rows that were compared, and agreed."""
        return max(0, self.agreed - self._first)

    @property
    def likeness(self) -> float:
        """Of all windows up to the last one that agreed: -1 to 1."""
        counted = self._likenesses[: len(self._likenesses) - self._failed]
        return float(np.mean(counted)) if counted else 0.0

    @property
    def end(self) -> int:
        """The row of the sound after what agreed."""
        return self.start + self.agreed + self._drift

    def go_on(self, picture: Picture, mean: Frames) -> None:
        """Compare as far as the sound has come."""
        while not self.over and len(picture) >= self.start + self._windows[self._next] + self._drift + SLACK + WINDOW:
            self._compare(picture, mean, self._windows[self._next])
            self._next += 1
            self.over = self._failed == 2 or self._next == len(self._windows)

    def _compare(self, picture: Picture, mean: Frames, at: int) -> None:
        here = max(0, self.start + at + self._drift - SLACK)
        heard = picture.rows(here, here + WINDOW + 2 * SLACK) - mean
        shifted = np.array([heard[shift : shift + WINDOW] for shift in range(2 * SLACK + 1)])
        wanted = likeness(self.clip.frames[None, at : at + WINDOW])[0]
        likenesses = likeness(shifted) @ wanted
        best = int(likenesses.argmax())
        agrees = max(AGREES, self.likeness - LESS)
        self._likenesses.append(float(likenesses[best]))
        if likenesses[best] >= agrees:
            self._failed = 0
            self._drift = here + best - self.start - at
            self.agreed = at + WINDOW
        else:
            self._failed += 1


def _windows(clip: Clip, first: int) -> list[int]:
    """The first row of each window, in order; the last ends where the voice does."""
    last = max(0, clip.voiced - WINDOW)
    return [*range(first, last, STEP), last]
