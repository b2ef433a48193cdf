"""Sound -> a picture of it: rows of `BANDS` numbers, a row each 16 ms; each number says how strong a band is.

The bands are mel bands (Stevens, Volkmann and Newman 1937), of equal width to the ear, in the part of the telephone band
that every codec carries. A number is the logarithm of a power, so a change of level adds the same to all of them, and
whoever compares takes the mean away. The logarithm begins at `FLOOR`: what is weaker is the line's noise.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from prompts.audio import RATE

Frames: TypeAlias = NDArray[np.float32]

BANDS = 20
HOP = 128
"""Samples from one row to the next: 16 ms."""

WINDOW = 2 * HOP
FLOOR = 1e-5
"""-50 dB below full scale, 30 below a voice."""

_LOWEST_HZ, _HIGHEST_HZ = 200.0, 3400.0
_HANN = np.hanning(WINDOW)


def _bank() -> NDArray[np.float64]:
    """Triangles over the spectrum's lines, a column a band."""
    lowest, highest = (1127 * np.log1p(hz / 700) for hz in (_LOWEST_HZ, _HIGHEST_HZ))
    edges = 700 * np.expm1(np.linspace(lowest, highest, BANDS + 2) / 1127)
    hz = np.fft.rfftfreq(WINDOW, 1 / RATE)[:, None]
    rising, falling = (hz - edges[:-2]) / np.diff(edges[:-1]), (edges[2:] - hz) / np.diff(edges[1:])
    bank: NDArray[np.float64] = np.clip(np.minimum(rising, falling), 0, None) / (_HANN**2).sum()
    return bank


_BANK = _bank()


def frames(samples: NDArray[np.float64]) -> Frames:
    """The rows of these samples (-1..1, `RATE`), as many as fit whole."""
    if len(samples) < WINDOW:
        return np.zeros((0, BANDS), dtype=np.float32)
    windows = np.lib.stride_tricks.sliding_window_view(samples, WINDOW)[::HOP]
    power = np.abs(np.fft.rfft(windows * _HANN)) ** 2 @ _BANK
    rows: Frames = np.log(power + FLOOR).astype(np.float32)
    return rows


def seconds(rows: float) -> float:
    """How long so many rows last."""
    return rows * HOP / RATE


def rows_in(seconds: float) -> int:
    """How many rows last so long."""
    return round(seconds * RATE / HOP)


class Picture:
    """The rows of a sound that is still coming."""

    def __init__(self) -> None:
        self._rows = np.zeros((4096, BANDS), dtype=np.float32)
        self._rest = np.zeros(0)
        self._length = 0

    def __len__(self) -> int:
        return self._length

    def add(self, samples: NDArray[np.float64]) -> None:
        """More of it."""
        self._rest = np.concatenate([self._rest, samples])
        fresh = frames(self._rest)
        self._rest = self._rest[len(fresh) * HOP :]
        while self._length + len(fresh) > len(self._rows):
            self._rows = np.concatenate([self._rows, np.zeros_like(self._rows)])
        self._rows[self._length : self._length + len(fresh)] = fresh
        self._length += len(fresh)

    def rows(self, start: int, end: int) -> Frames:
        """Those from `start` on, before `end`."""
        return self._rows[start : min(end, self._length)]


def likeness(pictures: Frames) -> Frames:
    """Flat rows that compare by their product: 1 for the same picture at any level, about 0 for any other.

    `pictures` is (many, rows, BANDS)."""
    flat = pictures.reshape(len(pictures), -1)
    flat = flat - flat.mean(axis=1, keepdims=True)
    length = np.sqrt((flat * flat).sum(axis=1, keepdims=True))
    like: Frames = (flat / np.maximum(length, 1e-6)).astype(np.float32)
    return like
