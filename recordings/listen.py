"""What is to be heard in samples: how loud, which tone, and when somebody speaks.

Samples are float64 in -1..1, one channel; levels are dBFS, RMS, full scale = RMS 1.0. Used to prove that sound went
where it should: a different tone from each party, found again in its channel.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import TypeAlias

import numpy as np
import soundfile  # type: ignore[import-untyped]  # it ships no types
from numpy.typing import NDArray

Samples: TypeAlias = NDArray[np.float64]

SPEECH_DBFS = -45.0
"""A frame louder than this is sound: above line noise (-60 and less), below a soft voice (-35)."""

_FRAME_MS = 10


def channels(path: Path) -> tuple[list[Samples], int]:
    """Each channel of a sound file, left first, and its rate in Hz. Raises OSError or soundfile's error."""
    samples, rate = soundfile.read(path, dtype="float64", always_2d=True)
    return list(samples.T), int(rate)


def level_dbfs(samples: Samples) -> float:
    """RMS level; -inf for silence or no samples at all."""
    power = float(np.mean(samples**2)) if len(samples) else 0.0
    return 10 * math.log10(power) if power else -math.inf


def dominant_hz(samples: Samples, rate: int) -> float:
    """The strongest frequency, to a fraction of a Hz where there is one clear tone; 0 for silence.

    The peak of a Hann-windowed spectrum, refined by a parabola through its logarithm."""
    if len(samples) < 8 or not samples.any():
        return 0.0
    spectrum = np.abs(np.fft.rfft((samples - samples.mean()) * np.hanning(len(samples))))
    peak = int(spectrum.argmax())
    if not 0 < peak < len(spectrum) - 1:
        return peak * rate / len(samples)
    before, top, after = np.log(spectrum[peak - 1 : peak + 2] + 1e-12)
    bend = before - 2 * top + after
    shift = (before - after) / (2 * bend) if bend else 0.0
    return float((peak + shift) * rate / len(samples))


def segments(
    samples: Samples, rate: int, *, above_dbfs: float = SPEECH_DBFS, join_ms: int = 300, shortest_ms: int = 60
) -> list[tuple[int, int]]:
    """When there is sound, as (start, end) in ms, to 10 ms.

    Gaps shorter than `join_ms` belong to the sound around them, sounds shorter than `shortest_ms` are clicks."""
    size = rate * _FRAME_MS // 1000
    frames = samples[: len(samples) // size * size].reshape(-1, size)
    loud = np.concatenate([[False], (frames**2).mean(axis=1) > 10 ** (above_dbfs / 10), [False]])
    edges = np.flatnonzero(loud[1:] != loud[:-1]) * _FRAME_MS
    found: list[tuple[int, int]] = []
    for start, end in edges.reshape(-1, 2).tolist():
        if found and start - found[-1][1] < join_ms:
            found[-1] = (found[-1][0], end)
        else:
            found.append((start, end))
    return [(start, end) for start, end in found if end - start >= shortest_ms]
