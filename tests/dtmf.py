"""Keys as sound (ITU-T Q.23): making them, and finding them again in whatever was recorded, by Goertzel's filter (1958).

    decode(samples, 8000) == "110101"

A key is found from some 35 ms on, shorter than any telephone sends it (Q.24: 40 ms): what is not found is not there.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from cti.phone.places import RATE_HZ
from cti.phone.sound import Samples, tone

ROWS, COLUMNS = (697, 770, 852, 941), (1209, 1336, 1477, 1633)
PAD = ("123A", "456B", "789C", "*0#D")
LEVEL = 0.15
"""Of full scale, each of the two tones."""

WINDOW_S, HOP_S = 0.0256, 0.01
"""205 samples at 8 kHz: the classic length, at which the eight tones are told apart."""

IN_A_ROW = 2
"""Windows: one alone may be a click."""

LEAST = 0.004
"""Of full scale, the amplitude of each tone: what A-law leaves of silence is below."""
TWIST = 4.0
"""The stronger tone is at most so many times as strong: Q.24 has 8 dB, this is 12."""
SURE = 0.7
"""Share of the window's power that must be in the two tones: a voice spreads it, music has other tones."""


def tones(key: str, seconds: float) -> Samples:
    """The sound of a key."""
    [(row, column)] = [(row, keys.index(key)) for row, keys in enumerate(PAD) if key in keys]
    return tone(ROWS[row], seconds, LEVEL) + tone(COLUMNS[column], seconds, LEVEL)


def decode(samples: npt.ArrayLike, rate: int = RATE_HZ) -> str:
    """The keys that are heard, in order. Samples from -1 to 1, or of 16 bits."""
    sound = np.asarray(samples)
    sound = sound / 32768 if sound.dtype == np.int16 else sound.astype(np.float64)
    size, hop = round(WINDOW_S * rate), round(HOP_S * rate)
    turns = np.exp(-2j * np.pi * np.outer(np.arange(size), (*ROWS, *COLUMNS)) / rate) * 2 / size
    found, run, last = "", 0, ""
    for start in range(0, len(sound) - size + 1, hop):
        key = _key(sound[start : start + size], turns)
        run = run + 1 if key == last else 1
        last = key
        if key and run == IN_A_ROW:
            found += key
    return found


def _key(window: npt.NDArray[np.float64], turns: npt.NDArray[np.complex128]) -> str:
    """The key that fills this window; empty when none does."""
    amplitudes = np.abs(window @ turns)
    rows, columns = amplitudes[:4], amplitudes[4:]
    row, column = int(rows.argmax()), int(columns.argmax())
    weaker, stronger = sorted((rows[row], columns[column]))
    if weaker < LEAST or stronger > TWIST * weaker:
        return ""
    in_tones = (rows[row] ** 2 + columns[column] ** 2) / 2
    return PAD[row][column] if in_tones > SURE * float(np.mean(window**2)) else ""
