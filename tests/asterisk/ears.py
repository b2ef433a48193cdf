"""Ears for the tests: every sentence of the test hotline is a tone of its own, so that what was said is proved by hearing.

`TONES` gives each piece of the catalogue its frequency, above those of the music and the phones (440 and 1,000 Hz), so
that a piece is recognised while people talk over it. To hear another way, add a function that takes samples.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from pathlib import Path

import numpy as np
import soundfile  # type: ignore[import-untyped]  # it ships no types

from calls.words import FIRST_LANGUAGE, Language
from cti.phone.places import RATE_HZ
from cti.phone.sound import Samples, silence, tone
from prompts import CATALOGUE, Catalogue
from recordings.listen import Samples as Sound
from tests.asterisk.phones import CITIZEN_HZ, SEAT_HZ

LOWEST_HZ, HIGHEST_HZ = 1350.0, 3250.0
"""Above the waiting music's tune, within the telephone band."""

LENGTH_S = 0.4
LONG_S = {"notice": 1.0, "menu.other": 2.0}
"""Long enough to hang up in, and to cut off."""

_PIECES = sorted(Catalogue.load(CATALOGUE).pieces(FIRST_LANGUAGE))
_STEP_HZ = (HIGHEST_HZ - LOWEST_HZ) / (len(_PIECES) - 1)
TONES = {piece: LOWEST_HZ + place * _STEP_HZ for place, piece in enumerate(_PIECES)}
"""The tone in which each piece is said."""

_WINDOW, _HOP = RATE_HZ // 10, RATE_HZ // 50
_WINDOW_S, _HOP_S = _WINDOW / RATE_HZ, _HOP / RATE_HZ
_LOUD_DBFS = -32.0
"""A voice is at -20; what A-law leaves of another tone's overtones is below -45."""

_SURE = 0.7
"""Share of the power, besides the phones' tones, that must be in the one tone."""

_SAME = 0.8
"""Of one voice with itself after A-law; two sentences of one voice are alike by less than a half."""

_SHORTEST = 5
"""Windows in a row: half of a piece may be cut off, and it is still recognised."""


def write_voices(folder: Path, spoken: Collection[Language] = ()) -> None:
    """`<folder>/<language>/<piece>.wav`: each piece as its tone, as if people had recorded them; not of the languages that
    are to be spoken by the engine."""
    catalogue = Catalogue.load(CATALOGUE)
    for language, pieces in ((name, catalogue.pieces(name)) for name in catalogue.tongues if name not in spoken):
        (folder / language).mkdir(parents=True)
        for piece in pieces:
            hz = TONES.get(piece, LOWEST_HZ)
            soundfile.write(
                folder / language / f"{piece}.wav", tone(hz, LONG_S.get(piece, LENGTH_S)), RATE_HZ, subtype="PCM_16"
            )


class Ear:
    """Listens to what grows, and looks at none of it twice: a test asks many times a second, of minutes of sound."""

    def __init__(self) -> None:
        self._heard: list[str | None] = []
        """Of each window."""
        self._last = silence(0)

    def said(self, samples: Samples) -> list[str]:
        """As the function has it, of samples that begin with those of the last time, or of another call's."""
        known = len(self._heard) * _HOP
        if self._heard and not np.array_equal(self._last, samples[known - _HOP :][:_WINDOW]):
            self._heard, known = [], 0
        self._heard += map(_piece, _windows(samples[known:] / 32768))
        self._last = samples[max(0, len(self._heard) - 1) * _HOP :][:_WINDOW]
        return [piece for piece, _ in _runs(self._heard)]


def said(samples: Samples) -> list[str]:
    """The pieces of the catalogue that are heard, in order; music and the phones' own tones are passed over."""
    return Ear().said(samples)


def lasted_s(samples: Samples, piece: str) -> list[float]:
    """How long this piece was heard each time it was said, in seconds."""
    runs = _runs(map(_piece, _windows(samples / 32768)))
    return [(windows - 1) * _HOP_S + _WINDOW_S for heard, windows in runs if heard == piece]


def _runs(windows: Iterable[str | None]) -> list[tuple[str, int]]:
    """Each piece that is heard, and for how many windows."""
    found: list[tuple[str, int]] = []
    run: list[str | None] = []
    for piece in [*windows, None]:
        if run and piece != run[-1]:
            if run[-1] is not None and len(run) >= _SHORTEST:
                found.append((run[-1], len(run)))
            run = []
        run.append(piece)
    return found


def in_order(wanted: tuple[str, ...], heard: list[str]) -> bool:
    """Whether `wanted` was said in this order, with or without anything between."""
    rest = iter(heard)
    return all(piece in rest for piece in wanted)


def speaks(samples: Samples, words: Sound) -> bool:
    """Whether this voice is heard anywhere in the samples: the loudest second of it, as the line lets it through."""
    loudest = int(np.convolve(words**2, np.ones(RATE_HZ), "valid").argmax())
    sought = words[loudest : loudest + RATE_HZ]
    heard = samples / 32768
    if len(heard) < len(sought):
        return False
    size = len(heard) + len(sought)
    alike = np.fft.irfft(np.fft.rfft(heard, size) * np.conj(np.fft.rfft(sought, size)), size)[
        : len(heard) - len(sought) + 1
    ]
    energy = np.concatenate(([0.0], np.cumsum(heard**2)))
    around = energy[len(sought) :] - energy[: -len(sought)]
    return bool((alike / np.sqrt(around * (sought**2).sum() + 1e-9)).max() > _SAME)


def tone_dbfs(samples: Sound, hz: float) -> float:
    """How loud this one tone is in the samples, dBFS as RMS; a steady sine at its own level."""
    window = np.hanning(len(samples))
    spectrum = np.abs(np.fft.rfft(samples * window)) ** 2
    near = np.abs(np.fft.rfftfreq(len(samples), 1 / RATE_HZ) - hz) < 10
    power = 2 * float(spectrum[near].sum()) / (float((window**2).sum()) * len(samples))
    return 10 * float(np.log10(power + 1e-12))


def _windows(sound: Sound) -> list[Sound]:
    starts = range(0, max(0, len(sound) - _WINDOW + 1), _HOP)
    return [sound[start : start + _WINDOW] for start in starts]


_HZ = np.fft.rfftfreq(_WINDOW, 1 / RATE_HZ)
_PHONES = np.any([np.abs(_HZ - hz) < 40 for hz in (CITIZEN_HZ, SEAT_HZ)], axis=0)
_HANN = np.hanning(_WINDOW)


def _piece(window: Sound) -> str | None:
    """The piece whose tone fills this tenth of a second, None when none does."""
    power = np.abs(np.fft.rfft(window * _HANN)) ** 2
    power[_PHONES] = 0
    peak = int(power.argmax())
    near = power[max(0, peak - 2) : peak + 3].sum()
    loud = 10 * np.log10(2 * near / (float((_HANN**2).sum()) * _WINDOW) + 1e-12)
    if loud < _LOUD_DBFS or near < _SURE * power.sum() or not 0 < peak < len(power) - 1:
        return None
    before, top, after = np.log(power[peak - 1 : peak + 2] + 1e-15)
    hz = (peak + 0.5 * (before - after) / (before - 2 * top + after)) * RATE_HZ / _WINDOW
    piece = min(TONES, key=lambda name: abs(TONES[name] - hz))
    return piece if abs(TONES[piece] - hz) < _STEP_HZ / 3 else None
