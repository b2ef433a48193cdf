"""What callers hear while they wait: 茉莉花, the Jiangsu folk song (printed by Barrow in 1804, in the public domain).

Played by nobody, computed note by note, so that there is nothing to license: a soft pluck for the tune, a slow low
sine for the ground under it. A tune one knows helps patience more than a loop of chords. The end rings into the
beginning, so Asterisk may play the file round and round without a seam.
To change the tune, change `TUNE` and `GROUND`: (degree of the scale or rest, beats).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np

from prompts.audio import RATE, SPEECH_LKFS, Samples, level

BEAT_S = 60 / 76
"""Seconds a beat: the pace of a calm walk."""

MUSIC_LKFS = SPEECH_LKFS - 6
"""Below the voices, by the measure of `audio.loudness`: an announcement stands out, nobody turns the handset away."""

Notes: TypeAlias = Sequence[tuple[int | None, float]]

_DO_HZ = 349.23
"""F4: the tune lies between 262 and 784 Hz, where a handset is at its best."""

_SEMITONES = {1: 0, 2: 2, 3: 4, 5: 7, 6: 9}

TUNE: Notes = (
    *((3, 1), (3, 0.5), (5, 0.5), (6, 0.5), (11, 0.5), (11, 0.5), (6, 0.5), (5, 1), (5, 0.5), (6, 0.5), (5, 2)),
    *((3, 1), (3, 0.5), (5, 0.5), (6, 0.5), (11, 0.5), (11, 0.5), (6, 0.5), (5, 1), (5, 0.5), (6, 0.5), (5, 2)),
    *((5, 1), (5, 1), (5, 1), (3, 0.5), (5, 0.5), (6, 1), (6, 1), (5, 2)),
    *((3, 1), (2, 0.5), (3, 0.5), (5, 1), (3, 0.5), (2, 0.5), (1, 1), (1, 0.5), (2, 0.5), (1, 2)),
    *((3, 0.5), (2, 0.5), (1, 0.5), (3, 0.5), (2, 1.5), (3, 0.5), (5, 1), (6, 0.5), (11, 0.5), (5, 2)),
    *((2, 1), (3, 0.5), (5, 0.5), (2, 0.5), (3, 0.5), (1, 0.5), (-6, 0.5), (-5, 2), (-6, 1), (1, 1)),
    *((2, 1.5), (3, 0.5), (1, 0.5), (2, 0.5), (1, 0.5), (-6, 0.5), (-5, 3), (None, 1)),
)
"""Degrees 1 to 6; 11 is 1 an octave up, a negative one an octave down."""

GROUND: Notes = (
    *((1, 4), (-5, 4), (1, 4), (-5, 4), (1, 4), (-6, 2), (1, 2), (1, 4), (-6, 2), (1, 2)),
    *((-6, 4), (1, 2), (-5, 2), (2, 4), (-5, 4), (-6, 4), (-5, 4)),
)


def waiting() -> Samples:
    """The melody, 44 s at `RATE` Hz. The same samples at every call."""
    song = np.zeros(round(sum(beats for _, beats in TUNE) * BEAT_S * RATE))
    _play(song, TUNE, octave=0, gain=1.0, attack_s=0.008, decay_s=0.7)
    _play(song, GROUND, octave=-1, gain=0.45, attack_s=0.5, decay_s=3.0)
    return level(song, MUSIC_LKFS)


def tone() -> Samples:
    """The signal to speak now: 0.4 s of 1,000 Hz, as loud as a voice, without a click at either end."""
    t = np.arange(round(0.4 * RATE)) / RATE
    edges = np.clip(np.minimum(t, t[-1] - t) / 0.01, 0, 1)
    return level(np.sin(2 * np.pi * 1000 * t) * edges, SPEECH_LKFS)


def _play(song: Samples, notes: Notes, *, octave: int, gain: float, attack_s: float, decay_s: float) -> None:
    """Add `notes` to `song`; what rings past its end rings into its beginning."""
    start = 0.0
    for degree, beats in notes:
        if degree is not None:
            sound = gain * _note(_hz(degree, octave), beats * BEAT_S, attack_s, decay_s)
            where = (round(start * BEAT_S * RATE) + np.arange(len(sound))) % len(song)
            song[where] += sound
        start += beats


def _note(hz: float, seconds: float, attack_s: float, decay_s: float) -> Samples:
    """A sine with three soft overtones; higher ones fade sooner, as on a string. Rings on for 0.6 s, gently damped."""
    t = np.arange(round((seconds + 0.6) * RATE)) / RATE
    sound = np.zeros_like(t)
    for overtone, strength in ((1, 1.0), (2, 0.3), (3, 0.12), (4, 0.05)):
        sound += strength * np.exp(-t * overtone / decay_s) * np.sin(2 * np.pi * hz * overtone * t)
    damping = np.clip((t[-1] - t) / 0.6, 0, 1)
    note: Samples = sound * (1 - np.exp(-t / attack_s * 3)) * damping
    return note


def _hz(degree: int, octave: int) -> float:
    octave += -1 if degree < 0 else 1 if degree > 10 else 0
    return float(_DO_HZ * 2 ** (octave + _SEMITONES[abs(degree) % 10] / 12))
