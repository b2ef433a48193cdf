"""The sound of calls: a tone out every 20 ms, and what came in, stamped by the kernel, so that a hole is a hole on the
wire and not a busy moment of this process.

`Metronome` sends for all voices of a process; `Voice` is one call's RTP (RFC 3550), `Heard` what it received.
"""

from __future__ import annotations

import asyncio
import io
import random
import socket
import struct
import time
from collections import deque
from typing import TypeAlias

import msgspec
import numpy as np
import soundfile  # type: ignore[import-untyped]  # it ships no types

from cti.phone.places import RATE_HZ
from cti.phone.sound import Samples, tone
from tests.dtmf import tones
from tests.telephones.sip import KEYS_PAYLOAD

PACKET_S = 0.02
SAMPLES = round(RATE_HZ * PACKET_S)
ALAW_PAYLOAD = 8
KEYS = "0123456789*#ABCD"

NEXT_KEY = 5
"""Packets. While a key is sent a telephone says nothing else: without these, two keys at once would be a hole in the sound."""

QUIET_PEAK = 64
"""Of 32768. Nothing louder is silence: A-law's idle code decodes to 8, the softest music is above."""

NOTED_SILENCE_S = 0.2

TONE_LEVEL = 0.1
"""Amplitude: the phones say their tones at 0.3."""

SO_TIMESTAMPNS = 35
"""asm-generic/socket.h; Python has no name for it."""

Span: TypeAlias = tuple[float, float]
"""Two instants on the monotonic clock."""


def _alaw(samples: Samples) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, samples, RATE_HZ, format="RAW", subtype="ALAW")
    return file.getvalue()


def from_alaw(data: bytes) -> Samples:
    """16-bit samples."""
    decoded: Samples = _DECODED[np.frombuffer(data, dtype=np.uint8)]
    return decoded


_DECODED: Samples = soundfile.read(
    io.BytesIO(bytes(range(256))), format="RAW", subtype="ALAW", samplerate=RATE_HZ, channels=1, dtype="int16"
)[0]
_LOUD = bytes(int(abs(int(value)) > QUIET_PEAK) for value in _DECODED)


def packets_of(hz: float) -> list[bytes]:
    """One second of a tone, in packets."""
    return _packets(tone(hz, 1))


def _packets(samples: Samples) -> list[bytes]:
    sound = _alaw(samples)
    return [sound[first : first + SAMPLES] for first in range(0, len(sound), SAMPLES)]


class Heard:
    """What came in, packet by packet."""

    def __init__(self) -> None:
        self.sound = bytearray()
        self.arrivals: list[float] = []
        """Monotonic, one a packet."""
        self.begins: list[int] = []
        """Of each packet, its first sample's place in `sound`; the last packet of a prompt is shorter."""
        self.silences: list[Span] = []
        """From the last sound to the next, where that is longer than `NOTED_SILENCE_S`; nothing came, or silence did."""
        self.loud_at = 0.0
        """When there was sound last; the answer counts as some."""

    def begin(self, at: float) -> None:
        """The call is answered: silence counts from now on."""
        self.loud_at = at

    def add(self, sound: bytes, at: float) -> None:
        self.begins.append(len(self.sound))
        self.sound += sound
        self.arrivals.append(at)
        if b"\1" in sound.translate(_LOUD):
            self._note(at)

    def end(self, at: float) -> None:
        """The call is over."""
        self._note(at)

    def samples(self, first: int = 0) -> Samples:
        """From sample `first` on, packets end to end."""
        return from_alaw(bytes(self.sound[first:]))

    def sound_after(self, at: float) -> float | None:
        """When the first packet with sound came after that instant; None: none did."""
        packets = zip(self.begins, [*self.begins[1:], len(self.sound)], self.arrivals, strict=True)
        loud = (came for begin, end, came in packets if came > at and b"\1" in self.sound[begin:end].translate(_LOUD))
        return next(loud, None)

    def longest_silence(self, window: Span) -> float:
        """Seconds without sound inside the window."""
        begin, end = window
        return max((min(end, last) - max(begin, first) for first, last in self.silences), default=0.0)

    def _note(self, at: float) -> None:
        if self.loud_at and at - self.loud_at > NOTED_SILENCE_S:
            self.silences.append((self.loud_at, at))
        self.loud_at = max(self.loud_at, at)


class Voice:
    """One call's sound. `says` are packets of A-law, said over and over."""

    def __init__(self, host: str, says: list[bytes]) -> None:
        self.heard = Heard()
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self._socket.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self._socket.bind((host, 0))
        self.port: int = self._socket.getsockname()[1]
        self._says, self._far = says, (host, 0)
        self._source = random.getrandbits(32)
        self._sequence = random.getrandbits(16)
        self._time = random.getrandbits(32)
        self._sent = 0
        self.loud_keys = False
        """Each key is heard, too, after its event: so do gateways that let a part of the tone through."""
        self.hasty = False
        """The next key begins 40 ms after the end of the last, as where a telephone keys a stored number."""
        self.keyed_at = 0.0
        """When the last key's end was sent, monotonic."""
        self._keys: deque[tuple[bytes, bool] | bytes | None] = deque()
        """Packets of events, the first of each marked; between two keys packets of sound, the usual one where None."""
        self._key_began = 0
        asyncio.get_running_loop().add_reader(self._socket.fileno(), self._receive)

    def connect(self, port: int) -> None:
        """The far side's port, from its session description."""
        self._far = (self._far[0], port)

    def press(self, key: str) -> None:
        """An RFC 4733 event of 100 ms, its end said three times; then a finger needs `NEXT_KEY` to find the next key.

        In haste the end is said twice, and nothing is between.
        """
        code = KEYS.index(key)
        self._keys += [(struct.pack("!BBH", code, 10, 160 * n), n == 1) for n in range(1, 6)]
        self._keys += [(struct.pack("!BBH", code, 0x80 | 10, 800), False)] * (2 if self.hasty else 3)
        if self.hasty:
            return
        self._keys += _packets(tones(key, PACKET_S * NEXT_KEY)) if self.loud_keys else [None] * NEXT_KEY

    @property
    def keying(self) -> bool:
        """Not every key that was pressed is on the wire yet."""
        return bool(self._keys)

    def tick(self) -> None:
        """20 ms have passed: send what is due."""
        if not self._far[1]:
            return
        due = self._keys.popleft() if self._keys else None
        if isinstance(due, tuple):
            payload, marked = due
            if marked:
                self._key_began = self._time
            kind, stamp = KEYS_PAYLOAD | (0x80 if marked else 0), self._key_began
            self.keyed_at = time.monotonic()
        else:
            payload, kind, stamp = due or self._says[self._sent % len(self._says)], ALAW_PAYLOAD, self._time
            self._sent += 1
        header = struct.pack("!BBHII", 0x80, kind, self._sequence & 0xFFFF, stamp & 0xFFFFFFFF, self._source)
        self._sequence += 1
        self._time += SAMPLES
        try:
            self._socket.sendto(header + payload, self._far)
        except OSError:  # the far side's port is closed: its goodbye is on the way
            return

    def close(self) -> None:
        """Nothing is heard or said any more."""
        if self._socket.fileno() >= 0:
            asyncio.get_running_loop().remove_reader(self._socket.fileno())
            self._socket.close()

    def _receive(self) -> None:
        to_monotonic = time.monotonic() - time.time()
        while True:
            try:
                data, control, _, _ = self._socket.recvmsg(2048, 64)
            except OSError:  # nothing more, or the far side's port is closed
                return
            if len(data) > 12 and data[1] & 0x7F == ALAW_PAYLOAD:
                seconds, nanoseconds = struct.unpack("qq", control[0][2][:16])
                self.heard.add(data[12:], seconds + nanoseconds / 1e9 + to_monotonic)


class Metronome(msgspec.Struct):
    """Sends for every voice, each 20 ms. `worst_late_s` tells whether this process could keep the beat."""

    voices: set[Voice] = msgspec.field(default_factory=set)
    worst_late_s: float = 0.0

    async def run(self) -> None:
        """For ever. A beat that was missed is made up for: the far side's clock does not wait."""
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            due += PACKET_S
            await asyncio.sleep(due - loop.time())
            self.worst_late_s = max(self.worst_late_s, loop.time() - due)
            for voice in tuple(self.voices):
                voice.tick()


def longest_hole_s(heard: Heard, hz: float, window: Span) -> float:
    """The longest time in the window without this tone: nothing came, or something else did."""
    size = SAMPLES * 2
    samples = heard.samples().astype(np.float64) / 32768
    turns = np.exp(-2j * np.pi * hz * np.arange(size) / RATE_HZ)
    last, until = window
    worst = 0.0
    for begin, at in zip(heard.begins, heard.arrivals, strict=True):
        end = begin + SAMPLES
        if not (last <= at <= until and size <= end <= len(samples)):
            continue
        level = abs(np.dot(samples[end - size : end], turns)) * 2 / size
        if level > TONE_LEVEL:
            worst, last = max(worst, at - last), at
    return max(worst, until - last)
