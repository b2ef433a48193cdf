"""One party's raw track: what Asterisk heard from that party, written by MixMonitor's `r()` option.

The receive direction is the only one to be trusted: in Asterisk 22.10.1 the send direction (`t()`) and snoops can fall
silent for minutes after a transfer, while `r()` stays right (found again by calls with a different tone a party).

Asterisk writes the length into the header when it closes the file. A killed Asterisk leaves 0 there, and all the sound
behind it: the length is then taken from the file itself. So it is wherever the header and the file disagree, and where
a power cut left zeros instead of the header: Asterisk writes one kind of header only.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, TypeAlias

import msgspec
import numpy as np
from numpy.typing import NDArray

RATE = 8000
"""Hz, of raw tracks and sealed files: MixMonitor's .wav."""

PER_MS = RATE // 1000

Block: TypeAlias = NDArray[np.int16]

_PCM = 1
_WIDTH = 2
_WANTED = (_PCM, 1, RATE, 16)
"""Format, channels, rate, bits."""

HEADER_BYTES = 44
"""Of Asterisk's header, whatever it says of itself."""


class Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One raw track of a party."""

    path: Path
    started_ms: int
    """As a leg's."""


class Leg(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where one party's raw track is, and what is known of it from elsewhere."""

    path: Path
    started_ms: int
    """The instant of its first sample, on the clock that also gives the conversation's begin and end."""
    packets: int
    """RTP packets received from the party while it was recorded; 0 when it sent none."""
    again: tuple[Part, ...] = ()
    """Where recording was stopped and begun again: what follows the first track, in order."""
    beside: tuple[Part, ...] = ()
    """Somebody else who spoke on this side, at the same time: mixed in, and not measured."""

    @property
    def parts(self) -> tuple[Part, ...]:
        """Every track of it."""
        return (Part(self.path, self.started_ms), *self.again)


class Unreadable(Exception):
    """The file is no track: another format, or no sound header at all. The reason is the exception's text."""


def readable(path: Path) -> bool:
    """Whether there is a track, even a broken or an empty one. Raises OSError when the disk does not tell."""
    try:
        RawTrack(path).close()
    except (FileNotFoundError, Unreadable):
        return False
    return True


class RawTrack:
    """An open raw track, read by position. Raises OSError or Unreadable on opening."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("rb")
        try:
            self._begin, size, self.repaired = _data(self._file, path.stat().st_size)
        except BaseException:
            self._file.close()
            raise
        self.length = size // _WIDTH
        """Samples."""

    def __enter__(self) -> RawTrack:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._file.close()

    def read(self, start: int, count: int) -> Block:
        """`count` samples from the sample `start`, which may lie before or behind the track: there it is silent."""
        block = np.zeros(count, dtype=np.int16)
        first, last = max(start, 0), min(start + count, self.length)
        if first < last:
            self._file.seek(self._begin + first * _WIDTH)
            found = np.frombuffer(self._file.read((last - first) * _WIDTH), dtype="<i2")
            block[first - start : first - start + len(found)] = found
        return block


def _data(file: BinaryIO, file_size: int) -> tuple[int, int, bool]:
    """Where the samples begin, how many bytes they are, and whether that had to be found out. Raises Unreadable."""
    head = file.read(HEADER_BYTES)
    if len(head) == HEADER_BYTES < file_size and not any(head):
        return HEADER_BYTES, file_size - HEADER_BYTES, True
    if head[:4] != b"RIFF" or head[8:12] != b"WAVE":
        raise Unreadable("no WAV header")
    file.seek(12)
    known_format = False
    for name, size in _chunks(file):
        if name == b"data":
            if not known_format:
                raise Unreadable("samples before their format")
            begin = file.tell()
            if begin + size == file_size or (size and _ends_in_chunks(file, begin + size, file_size)):
                return begin, size, False
            return begin, file_size - begin, True
        if name == b"fmt ":
            known_format = _check_format(file.read(size))
        else:
            file.seek(size + size % 2, os.SEEK_CUR)
    raise Unreadable("the file ends within its header")


def _chunks(file: BinaryIO) -> Iterator[tuple[bytes, int]]:
    """Name and size of each chunk; the file stands at its body."""
    while len(chunk := file.read(8)) == 8:
        yield struct.unpack("<4sI", chunk)


def _ends_in_chunks(file: BinaryIO, end: int, file_size: int) -> bool:
    """Whether nothing but chunks lies between the samples' end and the file's: then the header is right about both."""
    end += end % 2
    while end < file_size:
        file.seek(end)
        chunk = file.read(8)
        if len(chunk) < 8 or not chunk[:4].strip().isalnum():
            return False
        end += 8 + int.from_bytes(chunk[4:], "little")
        end += end % 2
    return end == file_size


def _check_format(body: bytes) -> bool:
    if len(body) < 16:
        raise Unreadable("the file ends within its header")
    kind, channels, rate, _, _, bits = struct.unpack("<HHIIHH", body[:16])
    if (kind, channels, rate, bits) != _WANTED:
        raise Unreadable(f"format {kind}, {channels} channels, {rate} Hz, {bits} bits where {_WANTED} is needed")
    return True
