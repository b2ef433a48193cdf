"""What goes into a phone's microphone, and what came out of its earpiece.

baresip hangs up when its sound file ends, so a microphone file is made as long as the longest call: the sound over and
over. What was heard is the file that module sndfile writes as packets arrive: 16-bit samples behind a 44-byte WAV
header which is only right once the call is over, so the samples are read as they are.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile  # type: ignore[import-untyped]  # it ships no types

from calls.errors import NotPossible
from cti.phone.places import RATE_HZ

Samples = npt.NDArray[np.int16]

WAV_HEADER_BYTES = 44
FULL_SCALE = 32767


def tone(hz: float, seconds: float, level: float = 0.3) -> Samples:
    """A sine of `hz`, at `level` (0 to 1) of full scale."""
    instants = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    return (np.sin(2 * np.pi * hz * instants) * level * FULL_SCALE).astype(np.int16)


def silence(seconds: float) -> Samples:
    """Nothing, for so long."""
    return np.zeros(round(seconds * RATE_HZ), dtype=np.int16)


def from_file(path: Path) -> Samples:
    """Any sound file that libsndfile reads, as a telephone hears it: 8 kHz, one channel. Raises NotPossible."""
    try:
        wide, rate = soundfile.read(path, dtype="float32", always_2d=True)
    except (soundfile.LibsndfileError, OSError) as error:
        raise NotPossible(f"{path}: not a sound file that can be read ({error}). Mend: give a WAV file") from error
    mono = wide.mean(axis=1)
    if not len(mono):
        raise NotPossible(f"{path}: holds no sound. Mend: give a WAV file with something to say")
    return (_resampled(mono, rate) * FULL_SCALE).astype(np.int16)


def _resampled(samples: npt.NDArray[np.float32], rate: int) -> npt.NDArray[np.float64]:
    """To 8 kHz by cutting the spectrum: exact for a whole file, with nothing folded back above 4 kHz."""
    if rate == RATE_HZ:
        return samples.astype(np.float64)
    length = max(1, round(len(samples) * RATE_HZ / rate))
    spectrum = np.fft.rfft(samples)
    kept = np.zeros(length // 2 + 1, dtype=complex)
    both = min(len(kept), len(spectrum))
    kept[:both] = spectrum[:both]
    return np.clip(np.fft.irfft(kept, length) * length / len(samples), -1, 1)


def write_microphone(path: Path, sound: Samples, seconds: float) -> None:
    """A WAV of at least `seconds`: the sound over and over. Raises ValueError when there is no sound."""
    if not len(sound):
        raise ValueError("a microphone needs at least one sample")
    times = -(-round(seconds * RATE_HZ) // len(sound))
    soundfile.write(path, np.tile(sound, max(1, times)), RATE_HZ, subtype="PCM_16")


def read_growing(path: Path, first: int = 0) -> Samples:
    """The samples from number `first` on in a WAV file that may still be written."""
    with path.open("rb") as file:
        file.seek(WAV_HEADER_BYTES + 2 * first)
        data = file.read()
    return np.frombuffer(data[: len(data) & ~1], dtype="<i2")


class Timeline:
    """What was heard, on the clock of the call: where no packets came there is silence, which the phone's file leaves out."""

    SLACK_MS = 100
    """Packets come in bunches; once there is sound, only a gap longer than this is silence."""

    def __init__(self) -> None:
        self._pieces: list[Samples] = []
        self._length = 0

    def add(self, samples: Samples, at_ms: float) -> None:
        """These samples were the last to have come at `at_ms` after the call began."""
        if not len(samples):
            return
        begins = round(at_ms * RATE_HZ / 1000) - len(samples)
        missing = begins - self._length
        if missing > (self.SLACK_MS * RATE_HZ / 1000 if self._pieces else 0):
            self._pieces.append(np.zeros(missing, dtype=np.int16))
            self._length += missing
        self._pieces.append(samples)
        self._length += len(samples)

    def samples(self) -> Samples:
        """All of it from the call's beginning, 8 kHz."""
        return np.concatenate([silence(0), *self._pieces])
