"""Sound as numbers: one rate, one loudness, nothing but the voice.

**Loudness** here is the level of active speech as an ear weighs it: the K-weighted RMS of the 20 ms frames in which
somebody speaks, in LKFS (ITU-R BS.1770-5, annex 1: a full-scale sine of 997 Hz is at -3.01). A frame counts when it is above
-50 LKFS and not more than 15 dB below the mean of those; so pauses do not make a slow sentence seem quiet (the idea of
ITU-T P.56). The Recommendation's own blocks of 400 ms are for programmes: most of one is pause where a word lasts 300 ms.

Samples are float64 in -1..1, mono, at `RATE` Hz, unless said otherwise. The functions are pure.
"""

from __future__ import annotations

import math
import wave
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import TypeAlias

import numpy as np
import soundfile  # type: ignore[import-untyped]  # it ships no types
from numpy.typing import NDArray

from calls.errors import BadFile

RATE = 8000
"""Hz: what a telephone line carries."""

HEADER_BYTES = 44
"""Of a WAV file, before its samples."""

SPEECH_LKFS = -20.0
"""The loudness of every voice: full on the line, with room for peaks."""

PEAK_DBFS = -1.0
"""No sample above this; A-law would distort."""

SLOWLY = 0.75
"""How fast slow speech is, as part of the usual pace; its pauses grow with it."""

Samples: TypeAlias = NDArray[np.float64]

_FRAME = RATE // 50
_SILENT_LKFS = -50.0
_QUIETER_DB = 15.0
_TRIMMED_DB = 35.0
"""So far below its loudness, a voice is over: the end of an f or an n is still above."""

_K_HZ = 48000
_K_HEAD = ((1.53512485958697, -2.69169618940638, 1.19839281085285), (1.0, -1.69065929318241, 0.73248077421585))
_K_LOW = ((1.0, -2.0, 1.0), (1.0, -1.99004745483398, 0.99007225036621))
_K_OFFSET_DB = -0.691
"""K-weighting (ITU-R BS.1770-5, annex 1, tables 1 and 2): what a head adds and what an ear does not hear, as filters at
`_K_HZ`, and what makes 997 Hz count as it is."""

_NOTHING = 1e-3
"""A recording whose peak is below this (-60 dBFS) holds no voice."""

_PASS_HZ = (50.0, 150.0, 3400.0, 3900.0)
"""The telephone band: all between the inner two. The slopes outside are gentle, or the ends would ring for long."""

_HEAD_MS, _JOIN_MS, _COMMA_MS, _STOP_MS = 20, 40, 150, 300
"""Silence before a piece; after one that is joined to the next; after a comma; after a full stop."""

_STEP, _REACH = RATE // 50, RATE // 125
"""Slow speech is laid out in steps of 20 ms, each taken from where it fits best, at most 8 ms away from where it should be."""

_PAUSE_MS = 250
"""Between two groups of digits: with what is silent around each piece, long enough to write a group down by, and too short
for the number to be over."""


def read(path: Path) -> Samples:
    """A WAV file of any rate and number of channels. Raises BadFile when it is not one, or holds no sound."""
    mend = "record it again and save it as a WAV file"
    try:
        samples, rate = soundfile.read(path, dtype="float64", always_2d=True)
    except (OSError, RuntimeError) as error:
        raise BadFile(path, 1, 1, "this is not a sound file that can be read", mend) from error
    mono = samples.mean(axis=1)
    peak = float(np.abs(mono).max(initial=0.0))
    if not peak > _NOTHING:  # a NaN is not either
        raise BadFile(path, 1, 1, "there is no sound in this file", mend)
    mono = mono / peak / 2  # so that the gates of `loudness` judge a timid recording as they judge a bold one
    return resample(mono, rate)


def write(path: Path, samples: Samples) -> None:
    """16-bit WAV. Raises OSError; soundfile would raise an assertion when the disk is full."""
    with path.open("wb") as file, wave.open(file, "wb") as sound:
        sound.setparams((1, 2, RATE, len(samples), "NONE", ""))
        sound.writeframesraw(np.rint(samples * 32767).astype("<i2").tobytes())


def built(path: Path) -> Samples:
    """What `write` wrote. Raises OSError, also when the file is damaged."""
    try:
        with path.open("rb") as file, wave.open(file) as sound:
            return np.frombuffer(sound.readframes(sound.getnframes()), dtype="<i2") / 32768
    except (wave.Error, EOFError) as error:
        raise OSError(f"{path}: {error or 'it ends too early'}") from error


def join(pieces: Iterable[Path], whole: Path) -> None:
    """One file out of several that `write` made, in one step: nobody finds half of it. A damaged one raises OSError, too."""
    aside = whole.with_suffix(".part")
    with aside.open("wb") as file, wave.open(file, "wb") as sound:
        sound.setparams((1, 2, RATE, 0, "NONE", ""))
        for piece in pieces:
            try:
                with piece.open("rb") as part, wave.open(part) as read:
                    sound.writeframes(read.readframes(read.getnframes()))
            except (wave.Error, EOFError) as error:
                raise OSError(f"{piece}: {error or 'it ends too early'}") from error
    aside.replace(whole)


def resample(samples: Samples, rate: int) -> Samples:
    """From `rate` Hz to `RATE`, cut to the telephone band, by one Fourier transform of the whole.

    Gains 0.1 s of silence at either end, where the band's edges may ring without wrapping round."""
    step, around = rate // math.gcd(rate, RATE), rate // 10
    padded = np.pad(samples, (around, around + -(len(samples) + 2 * around) % step))
    length = len(padded) * RATE // rate
    spectrum = np.fft.rfft(padded)
    hz = np.fft.rfftfreq(len(padded), 1 / rate)
    begin, low, high, end = _PASS_HZ
    outside = np.clip((low - hz) / (low - begin), 0, 1) + np.clip((hz - high) / (end - high), 0, 1)
    spectrum *= np.cos(outside * np.pi) / 2 + 0.5
    bins = length // 2 + 1
    fitted = np.zeros(bins, dtype=complex)
    fitted[: min(bins, len(spectrum))] = spectrum[:bins]
    return np.fft.irfft(fitted, length) * (RATE / rate)


def silence() -> Samples:
    """What parts two groups of digits."""
    return np.zeros(_PAUSE_MS * RATE // 1000)


def loudness(samples: Samples) -> float:
    """The level of active speech in LKFS, as this module defines it; -inf when nobody speaks."""
    power = _power(_weighted(samples), _FRAME)
    active = power[power > _ratio(_SILENT_LKFS)]
    if len(active) == 0:
        return -math.inf
    gated = active[active > active.mean() * _ratio(-_QUIETER_DB)]
    return 10 * math.log10(float(gated.mean()))


def level(samples: Samples, lkfs: float) -> Samples:
    """The same sound at `lkfs`, its peaks held below `PEAK_DBFS` by turning the gain down around them."""
    ceiling = 10 ** (PEAK_DBFS / 20)
    for _ in range(4):  # holding peaks makes it quieter: a few rounds come within 0.1 dB
        samples = samples * 10 ** ((lkfs - loudness(samples)) / 20)
        if np.abs(samples).max() <= ceiling:
            break
        samples = samples * _hold(np.abs(samples), ceiling)
    return samples


def trim(samples: Samples, text: str) -> Samples:
    """Only the voice, and after it the pause that the last mark of `text` asks for."""
    step = RATE // 100
    heard = np.flatnonzero(_power(samples, step) > _ratio(loudness(samples) - _TRIMMED_DB))
    start, end = (heard[0] * step, (heard[-1] + 1) * step) if len(heard) else (0, len(samples))
    ending = text.rstrip()[-1:]
    tail_ms = _STOP_MS if ending in "。？！.?!؟" else _COMMA_MS if ending in "，、；：,;:،؛" else _JOIN_MS
    before, after = _HEAD_MS * RATE // 1000, tail_ms * RATE // 1000
    return np.concatenate([np.zeros(before), _soften(samples[start:end]), np.zeros(after)])


def slowly(samples: Samples, pace: float = SLOWLY) -> Samples:
    """The same voice at the same pitch, at this part of its pace (0.5 to 1).

    Waveform similarity overlap-add (WSOLA: Verhelst and Roelands 1993): pieces of 40 ms are laid out every 20 ms, each
    taken from that place near its own where the wave goes on as it would have after the piece before."""
    steps = math.ceil(len(samples) / pace / _STEP)
    padded = np.pad(samples, (_REACH, 4 * _STEP + _REACH))
    fade = np.hanning(2 * _STEP + 1)[:-1]
    slow = np.zeros((steps + 2) * _STEP)
    slow[:_STEP] = padded[_REACH : _REACH + _STEP] * fade[_STEP:]  # nothing fades out before the first piece
    start = 0
    for step in range(steps):
        expected, near = padded[start + _REACH :][:_STEP], round(step * _STEP * pace)
        if step:
            around = padded[near : near + _STEP + 2 * _REACH]
            start = near - _REACH + int(np.correlate(around, expected).argmax())
        slow[step * _STEP : (step + 2) * _STEP] += padded[start + _REACH :][: 2 * _STEP] * fade
        start += _STEP
    return slow[: round(len(samples) / pace)]


def _hold(magnitude: Samples, ceiling: float) -> Samples:
    """A gain that keeps `magnitude` below `ceiling`, changing smoothly over 5 ms on either side."""
    wanted = np.minimum(1.0, ceiling / np.maximum(magnitude, 1e-9))
    if wanted.min() >= 1.0:
        return wanted
    reach = RATE // 200
    padded = np.pad(wanted, 2 * reach, mode="edge")
    lowest = np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1).min(axis=1)
    smooth = np.hanning(2 * reach + 3)[1:-1]
    return np.convolve(lowest, smooth / smooth.sum(), mode="valid")


def _soften(samples: Samples) -> Samples:
    """No click where the sound was cut: 3 ms of fade at either end."""
    length = min(3 * RATE // 1000, len(samples) // 2)
    ramp = np.linspace(0, 1, length, endpoint=False)
    softened = samples.copy()
    softened[:length] *= ramp
    softened[len(softened) - length :] *= ramp[::-1]
    return softened


def _weighted(samples: Samples) -> Samples:
    """As an ear weighs it: the same length, K-weighted at each frequency that a telephone carries."""
    length = 1 << (len(samples) + RATE // 10).bit_length()  # the filters ring no longer, and must not wrap round
    return np.fft.irfft(np.fft.rfft(samples, length) * _k_weights(length), length)[: len(samples)]


@lru_cache
def _k_weights(length: int) -> NDArray[np.complex128]:
    """The factors of a spectrum of so many samples."""
    turn = np.exp(-2j * np.pi * np.fft.rfftfreq(length, 1 / RATE) / _K_HZ)
    weights = np.full(len(turn), _ratio(_K_OFFSET_DB / 2), dtype=complex)
    for above, below in (_K_HEAD, _K_LOW):
        weights *= np.polyval(above[::-1], turn) / np.polyval(below[::-1], turn)
    return weights


def _power(samples: Samples, frame: int) -> Samples:
    """Mean square of each stretch of `frame` samples, the last one filled up with silence."""
    padded = np.pad(samples, (0, -len(samples) % frame))
    power: Samples = (padded.reshape(-1, frame) ** 2).mean(axis=1)
    return power


def _ratio(db: float) -> float:
    return float(10 ** (db / 10))
