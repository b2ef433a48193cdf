"""Forbidden silence (静默): a conversation in which nobody has been heard for too long, for its adviser and the leads to see.

What is heard is what Asterisk writes of each party for the recording: it is read from the disk in a thread, so it costs the
call nothing. On hold, with the machine, and while somebody else is asked, silence is as it should be; a conversation that is
not recorded is not heard at all.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import numpy as np

from calls.clock import Clock, Instant
from cti.alarms import Alarms
from cti.desk.feed import Feed
from recordings.legs import HEADER_BYTES, RATE
from recordings.listen import segments

DEAD_AIR = "dead_air"
"""The alarm; its subject is the seat."""

LOOKED_EVERY_S = 2.0
MOST_READ = 2 * RATE * 8
"""Bytes of a track at once, 8 s: what is older was heard before, or under another controller."""


class Talk(NamedTuple):
    """Two who should be heard."""

    visit: str
    seat: str
    adviser: str


class DeadAir:
    """Listens to everybody who talks. `longest_s` 0: nobody does."""

    def __init__(
        self,
        clock: Clock,
        alarms: Alarms,
        feed: Feed,
        raw: Path,
        longest_s: float,
        talks: Callable[[], Iterable[Talk]],
    ) -> None:
        self._clock, self._alarms, self._feed, self._raw, self._longest_s = clock, alarms, feed, raw, longest_s
        self._talks = talks
        self._read: dict[str, int] = {}
        """How far each track is read, by file name."""
        self._heard_at: dict[Talk, Instant] = {}
        self._silent: set[Talk] = set()

    async def run(self) -> None:
        """Listen, for ever."""
        for alarm in self._alarms.standing():
            if alarm.name == DEAD_AIR:  # an earlier controller's, who cannot hear that it is over
                self._alarms.tell(DEAD_AIR, alarm.subject, None)
        while self._longest_s:
            await self.look()
            await asyncio.sleep(LOOKED_EVERY_S)

    async def look(self) -> None:
        """Hear what was said since the last look, and tell whose silence is too long, or over."""
        talks = {talk.visit: talk for talk in self._talks()}
        recorded, heard = await asyncio.to_thread(self._hear, frozenset(talks)) if talks else (set(), set())
        now = self._clock.now()
        self._heard_at = {
            talks[visit]: now if visit in heard else self._heard_at.get(talks[visit], now) for visit in recorded
        }
        silent = {talk for talk, at in self._heard_at.items() if now - at >= self._longest_s}
        for talk in self._silent - silent:
            self._tell(talk, None)
        for talk in silent:
            self._tell(talk, now - self._heard_at[talk])
        self._silent = silent

    def _tell(self, talk: Talk, silent_s: float | None) -> None:
        detail = f"nobody has said a word for {self._longest_s:.0f} s. Mend: the adviser says that they are there."
        self._alarms.tell(DEAD_AIR, talk.seat, None if silent_s is None else detail)
        self._feed.silence(talk.seat, talk.adviser, silent=silent_s is not None)

    def _hear(self, visits: frozenset[str]) -> tuple[set[str], set[str]]:
        """Which of these visits are recorded, and in which somebody was heard since the last time."""
        recorded, heard, read = set[str](), set[str](), dict[str, int]()
        files: list[os.DirEntry[str]] = []
        with suppress(OSError):  # the disk is away: then nothing is known of anybody
            files += os.scandir(self._raw)
        for file in files:
            visit = next((visit for visit in visits if file.name.startswith(f"{visit}.")), None)
            if visit is None:
                continue
            with suppress(OSError):  # the track goes meanwhile, which says nothing of the others
                size = file.stat().st_size
                if self._voice_in(Path(file), self._read.get(file.name, HEADER_BYTES), size):
                    heard.add(visit)
                recorded.add(visit)
                read[file.name] = size
        self._read = read
        return recorded, heard

    @staticmethod
    def _voice_in(track: Path, begin: int, end: int) -> bool:
        begin = max(begin, end - MOST_READ)
        begin -= (begin - HEADER_BYTES) % 2
        with track.open("rb") as file:
            file.seek(begin)
            sound = file.read(max(0, end - begin))
        samples = np.frombuffer(sound[: len(sound) // 2 * 2], dtype="<i2") / 32768
        return bool(segments(samples, RATE))
