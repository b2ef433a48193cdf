"""Recordings, off the call path: each conversation's two raw tracks are sealed into one file after its end.

What is to be sealed is kept with the journal before the conversation begins, so a controller that dies leaves nothing
behind: the next one seals what it finds, to the end of the tracks if nobody saw the end of the conversation.
"""

from __future__ import annotations

import asyncio
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
import structlog

from calls.errors import RexianError
from calls.facts import AlarmRaised, RecordingLost, RecordingSealed
from calls.ports import FactSink
from cti.store import Journal
from recordings import Leg, Sealed, place, seal
from recordings.legs import RATE

log = structlog.get_logger(__name__)

HEADER_BYTES = 44
LONGEST_MS = 4 * 3600 * 1000
"""No conversation is longer; also what is assumed at most when nobody saw its end."""


class Pending(msgspec.Struct, frozen=True, kw_only=True):
    """A conversation whose recording is not sealed yet. Instants are monotonic milliseconds."""

    call_id: str
    visit: str
    day: datetime
    caller_file: Path
    caller_started_ms: int
    seat_file: Path
    seat_started_ms: int
    begin_ms: int
    end_ms: int | None = None
    caller_packets: int = 0
    seat_packets: int = 0


class Recorder:
    """Seals recordings one after the other, in a thread."""

    def __init__(self, facts: FactSink, journal: Journal, folder: Path, raw: Path, zone: ZoneInfo) -> None:
        self._facts, self._journal, self._folder, self._raw, self._zone = facts, journal, folder, raw, zone
        self._queue: asyncio.Queue[Pending] = asyncio.Queue()

    def raw_file(self, name: str) -> Path:
        """Where the dialplan's MixMonitor writes the track of this name."""
        return self._raw / f"{name}.wav"

    def keep(self, pending: Pending) -> None:
        """A conversation begins or ends; should nobody see more of it, it will be sealed all the same."""
        self._journal.put(f"recording/{pending.visit}", msgspec.to_builtins(pending, enc_hook=str))

    def seal_soon(self, pending: Pending) -> None:
        """The call is over and everything is known."""
        self.keep(pending)
        self._queue.put_nowait(pending)

    def resume(self, going_on: set[str]) -> None:
        """Seal what an earlier controller left, except the visits that are still talking."""
        for pending in self.unsealed():
            if pending.visit not in going_on:
                self._queue.put_nowait(pending)

    def find(self, visit: str) -> Pending:
        """What was kept of the conversation of this visit, which is going on."""
        return next(pending for pending in self.unsealed() if pending.visit == visit)

    def unsealed(self) -> list[Pending]:
        """Everything begun and not sealed yet."""
        found = self._journal.find("recording/", dict)
        return [msgspec.convert(data, Pending, dec_hook=lambda _, text: Path(text)) for data in found.values()]

    @property
    def waiting(self) -> int:
        """Conversations that ended and are not sealed yet."""
        return self._queue.qsize()

    async def run(self) -> None:
        """Seal, for ever."""
        while True:
            pending = await self._queue.get()
            sealed = await self._seal(pending)
            self._journal.forget(f"recording/{pending.visit}")
            if sealed:
                await (
                    self._journal.flush()
                )  # a controller that dies here must not find the tracks gone and the fact, too
                for raw in (pending.caller_file, pending.seat_file):
                    raw.unlink(missing_ok=True)

    async def _seal(self, pending: Pending) -> bool:
        """Seal and tell; False when there is no recording, which is told as well."""
        target = place(self._folder, pending.day.astimezone(self._zone).date(), pending.visit)
        try:
            sealed = await asyncio.to_thread(_seal, pending, target)
        except (RexianError, OSError) as error:
            log.error("recording lost", call_id=pending.call_id, visit=pending.visit, error=str(error))
            self._facts.record(RecordingLost(call_id=pending.call_id, visit=pending.visit, reason=str(error)))
            self._facts.record(AlarmRaised(name="recording_lost", subject=pending.visit, detail=str(error)))
            return False
        self._facts.record(_fact(pending, sealed, self._folder))
        for alarm in sealed.alarms:
            self._facts.record(AlarmRaised(name=alarm, subject=pending.visit, detail=str(sealed.path)))
        return True


def _seal(pending: Pending, target: Path) -> Sealed:
    caller = Leg(pending.caller_file, pending.caller_started_ms, pending.caller_packets)
    seat = Leg(pending.seat_file, pending.seat_started_ms, pending.seat_packets)
    end_ms = pending.end_ms if pending.end_ms is not None else _end_of_tracks(caller, seat)
    return seal(caller, seat, target, begin_ms=pending.begin_ms, end_ms=end_ms)


def _end_of_tracks(*legs: Leg) -> int:
    """Where the longest track ends: what a conversation lasted whose end nobody saw."""
    ends = [leg.started_ms for leg in legs]
    for leg in legs:
        if leg.path.exists():
            samples = max(0, leg.path.stat().st_size - HEADER_BYTES) // 2
            ends.append(leg.started_ms + min(LONGEST_MS, samples * 1000 // RATE))
    return max(ends)


def _fact(pending: Pending, sealed: Sealed, folder: Path) -> RecordingSealed:
    return RecordingSealed(
        call_id=pending.call_id,
        visit=pending.visit,
        path=str(sealed.path.relative_to(folder)),
        sha256=sealed.sha256,
        length_ms=sealed.length_ms,
        left_dbfs=sealed.left.rms_dbfs,
        right_dbfs=sealed.right.rms_dbfs,
        left_packets=pending.caller_packets,
        right_packets=pending.seat_packets,
        alarms=sealed.alarms,
    )
