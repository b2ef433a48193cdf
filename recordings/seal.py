"""Sealing a recording: two raw tracks become one two-channel file, caller left, adviser right, of equal length.

A voice message has one party and one channel.

Both are laid on one timeline by the instants their tracks began, cut to the conversation, filled up with silence. The
file is written aside, flushed to the disk, hashed and moved into place: a file under its final name is whole.

It is 16-bit PCM: 32 kB a second, 58 GB a day for 10,000 calls of 180 s. A-law would take half and lose nothing of an
A-law trunk's sound, but every player, browser and tool reads PCM without asking, and evidence must open in ten years.
It is written by the standard library's `wave`: a full disk is an OSError there, and an assertion in soundfile.
"""

from __future__ import annotations

import errno
import hashlib
import math
import os
import wave
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import date
from pathlib import Path

import msgspec
import numpy as np

from calls.errors import NotPossible
from recordings.legs import HEADER_BYTES, PER_MS, RATE, Block, Leg, RawTrack, Unreadable

SILENT_PEAK = 8
"""A track that never exceeds this (of 32768) is digital silence: 8 is what A-law decodes its idle code to."""

LOUDEST = 32767
"""Of a sample."""

SILENT_LEG = "recording_silent_leg"
LEG_MISSING = "recording_leg_missing"
LEG_UNREADABLE = "recording_leg_unreadable"
LEG_REPAIRED = "recording_leg_repaired"
LEG_SHORT = "recording_leg_short"

SHORT_MS = 1000
"""A track may end this much before the conversation: what the last packets and Asterisk's own buffers take."""

_BLOCK = 30 * RATE


class Track(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What one channel of the sealed file holds."""

    rms_dbfs: float | None
    """Over the whole conversation, pauses included; None when it is silent."""
    peak_dbfs: float | None
    covered_ms: int
    """How much of the conversation the raw track lasted; the rest was filled up."""
    silent: bool
    repaired: bool
    """The raw track's header was broken, its length was taken from the file's size."""
    alarms: tuple[str, ...]


class Sealed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A finished recording."""

    path: Path
    sha256: str
    length_ms: int
    left: Track
    right: Track | None
    """None: of a voice message."""

    @property
    def alarms(self) -> tuple[str, ...]:
        """What operations should look at, caller's side first."""
        return self.left.alarms + (self.right.alarms if self.right else ())


def place(folder: Path, day: date, visit: str) -> Path:
    """Where the recording of a visit belongs: `<folder>/2026/11/21/<visit>.wav`. `day` is local time."""
    return folder / f"{day:%Y/%m/%d}" / f"{visit}.wav"


def seal(left: Leg, right: Leg | None, target: Path, *, begin_ms: int, end_ms: int) -> Sealed:
    """Write the recording of the conversation, or, without a `right`, the message, between two instants to `target`.

    One leg may be missing or unreadable: its channel is silent, and an alarm says so. Raises NotPossible when neither
    can be read or the conversation has no length; then trying again is useless. Raises OSError when the disk refuses:
    it is full, cannot be written, or does not give a track to us. No file is left.
    """
    length = (end_ms - begin_ms) * PER_MS
    if length <= 0:
        raise NotPossible(f"{target.name}: the conversation has no length ({begin_ms} to {end_ms} ms).")
    with ExitStack() as stack:
        legs = [left] if right is None else [left, right]
        channels = [_Channel(leg, begin_ms, length, stack) for leg in legs]
        if not any(channel.tracks for channel in channels):
            unread = " and ".join(str(leg.path) for leg in legs)
            raise NotPossible(f"{target.name}: nothing could be read of {unread}.")
        _make_folder(target.parent)
        fresh = target.with_name(f".{target.name}")
        stack.callback(fresh.unlink, missing_ok=True)
        _write(fresh, channels, length)
        with fresh.open("rb") as file:
            os.fsync(file.fileno())
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        fresh.replace(target)
        _sync_folder(target.parent)
        tracks = [channel.measured() for channel in channels]
    return Sealed(target, sha256, end_ms - begin_ms, tracks[0], tracks[1] if right else None)


class _Channel:
    """One side of the file while it is written: reads its blocks and keeps count of what is in them."""

    def __init__(self, leg: Leg, begin_ms: int, length: int, stack: ExitStack) -> None:
        self.tracks: list[tuple[RawTrack, int]] = []
        """What could be opened, each with the place in it where the conversation begins."""
        self._beside: list[tuple[RawTrack, int]] = []
        self._broken: str | None = None
        self._packets = leg.packets
        self._length = length
        self._squares, self._peak = 0, 0
        for part in (*leg.parts, *leg.beside):
            try:
                track = stack.enter_context(RawTrack(part.path))
            except FileNotFoundError:
                if part.path == leg.path:  # a later one is made when sound comes, which may be never
                    self._broken = LEG_MISSING
            except Unreadable:
                self._broken = LEG_UNREADABLE
            except OSError as error:
                self._note(error)
            else:
                tracks = self._beside if part in leg.beside else self.tracks
                tracks.append((track, (begin_ms - part.started_ms) * PER_MS))

    def block(self, start: int, count: int) -> Block:
        block = np.zeros(count, dtype=np.int16)
        for track, offset in self.tracks:
            part = self._read(track, offset + start, count)
            block = np.where(part != 0, part, block)
        wide = block.astype(np.int64)
        self._squares += int(np.square(wide).sum())  # BLAS, by `wide @ wide`, would leave a thread spinning
        self._peak = max(self._peak, int(np.abs(wide).max()))
        for track, offset in self._beside:
            wide += self._read(track, offset + start, count)
        return wide.clip(-LOUDEST - 1, LOUDEST).astype(np.int16)

    def _read(self, track: RawTrack, start: int, count: int) -> Block:
        """These samples of it, silent where the disk does not give them back."""
        try:
            return track.read(start, count)
        except OSError as error:
            self._note(error)
            return np.zeros(count, dtype=np.int16)

    def _note(self, error: OSError) -> None:
        """A part of the disk that cannot be read will not come back; any other error may, and is raised again."""
        if error.errno != errno.EIO:
            raise error
        self._broken = LEG_UNREADABLE

    def measured(self) -> Track:
        spans = [(max(0, -offset), max(0, min(self._length, track.length - offset))) for track, offset in self.tracks]
        covered = sum(max(0, last - first) for first, last in spans)
        missing = self._length - max((last for _, last in spans), default=0)
        silent = self._peak <= SILENT_PEAK
        return Track(
            rms_dbfs=None if silent else _dbfs(math.sqrt(self._squares / self._length)),
            peak_dbfs=None if silent else _dbfs(self._peak),
            covered_ms=covered // PER_MS,
            silent=silent,
            repaired=self._repaired,
            alarms=tuple(self._alarms(silent, missing_ms=missing // PER_MS)),
        )

    @property
    def _repaired(self) -> bool:
        return any(track.repaired for track, _ in self.tracks)

    def _alarms(self, silent: bool, missing_ms: int) -> Iterator[str]:
        if self._broken:
            yield self._broken
            return
        if self._repaired:
            yield LEG_REPAIRED
        if self._packets == 0:  # a party that sent nothing has nothing to be heard
            return
        if silent:
            yield SILENT_LEG
        if missing_ms > SHORT_MS:
            yield LEG_SHORT


def _write(path: Path, channels: list[_Channel], length: int) -> None:
    with ExitStack() as stack:
        file = stack.enter_context(path.open("wb"))
        size = HEADER_BYTES + length * 2 * len(channels)
        os.posix_fallocate(file.fileno(), 0, size)  # a full disk says so before an hour is written
        sound = stack.enter_context(wave.open(file, "wb"))
        sound.setparams((len(channels), 2, RATE, length, "NONE", ""))
        for start in range(0, length, _BLOCK):
            count = min(_BLOCK, length - start)
            both = np.column_stack([channel.block(start, count) for channel in channels])
            sound.writeframesraw(both.astype("<i2", copy=False).tobytes())


def _make_folder(folder: Path) -> None:
    """With the folders above it; a new day's name, too, outlives a power cut."""
    if not folder.exists():
        _make_folder(folder.parent)
        folder.mkdir(exist_ok=True)
        _sync_folder(folder.parent)


def _sync_folder(folder: Path) -> None:
    """So that the new name, too, outlives a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _dbfs(amplitude: float) -> float:
    return round(20 * math.log10(amplitude / 32768), 2)
