"""Recordings, off the call path: each conversation's two raw tracks are sealed into one file after its end.

What is to be sealed is kept with the journal as the conversation begins, so a controller that dies leaves nothing
behind: the next one seals what it finds, to the end of the tracks if nobody saw the end of the conversation.

A disk that refuses (full, read-only, not ours) loses nothing: the tracks stay where they are and are tried again, an
alarm stands meanwhile. A recording is lost only where there is nothing to be read, and then its row says why.
"""

from __future__ import annotations

import asyncio
from datetime import datetime
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

import msgspec
import structlog

from calls.errors import RexianError
from calls.facts import AlarmRaised, AnyFact, RecordingLost, RecordingSealed
from calls.ports import FactSink
from cti.alarms import Alarms
from cti.room import Room
from cti.store import Journal
from cti.strays import remove_strays
from recordings import Leg, Part, Sealed, place, readable, seal
from recordings.legs import HEADER_BYTES, RATE

log = structlog.get_logger(__name__)

LONGEST_MS = 4 * 3600 * 1000
"""No conversation is longer; also what is assumed at most when nobody saw its end."""

RETRY_S = 2.0
"""Between attempts to seal what a disk refused."""

LOST = "recording_lost"
NOT_SEALED = "recording_not_sealed"
"""Alarms: one recording that never will be; recordings that wait for the disk, whose tracks are kept."""


Side = Literal["caller_again", "seat_again", "beside"]
"""Of the further tracks of a conversation: whose."""


class Pending(msgspec.Struct, frozen=True, kw_only=True):
    """A conversation or a voice message whose recording is not sealed yet. Instants are monotonic milliseconds."""

    call_id: str
    visit: str
    day: datetime
    caller_file: Path
    caller_started_ms: int
    seat_file: Path | None = None
    """None: nobody is at the other end, it is a voice message."""
    seat_started_ms: int = 0
    begin_ms: int
    end_ms: int | None = None
    caller_packets: int = 0
    seat_packets: int = 0
    unrecorded: str | None = None
    """Why no track was begun at all, from `Recorder.cannot_record`."""
    settled: bool = False
    """Its row is safe; what is left to do is to remove its tracks."""
    caller_again: tuple[Part, ...] = ()
    """Where recording was stopped and begun again: the further tracks."""
    seat_again: tuple[Part, ...] = ()
    beside: tuple[Part, ...] = ()
    """What a team lead said to both, and what somebody said whom the adviser asked."""

    @property
    def tracks(self) -> tuple[Path, ...]:
        """The raw files."""
        first = (self.caller_file,) if self.seat_file is None else (self.caller_file, self.seat_file)
        return first + tuple(part.path for part in (*self.caller_again, *self.seat_again, *self.beside))


class Recorder:
    """Seals recordings one after the other, in a thread, and knows whether there is room for more."""

    def __init__(
        self, facts: FactSink, journal: Journal, folder: Path, raw: Path, zone: ZoneInfo, reserve_mb: int
    ) -> None:
        self._facts, self._journal, self._folder, self._raw, self._zone = facts, journal, folder, raw, zone
        self._alarms = Alarms(facts, journal)
        self._room = Room(self._alarms, {"recordings": folder, "raw": raw}, reserve_mb)
        self._queue: asyncio.Queue[str] = asyncio.Queue()
        """Visits; what is to be done for each is what is kept of it by then."""
        self._ended: set[str] = set()
        self._refused: dict[str, str] = {}
        """Why the disk did not take it at the last attempt, by visit."""

    @property
    def cannot_record(self) -> str | None:
        """Why a conversation that begins now is not to be recorded; None when it is. Asking costs a call nothing."""
        return self._room.trouble

    @property
    def problem(self) -> str | None:
        """What stands in the way of recordings at this moment, with the mend; None when all is well."""
        return self._room.trouble or self._refusal()

    @property
    def waiting(self) -> int:
        """Conversations that ended and are not sealed yet."""
        return len(self._ended)

    def raw_file(self, name: str) -> Path:
        """Where the dialplan's MixMonitor writes the track of this name."""
        return self._raw / f"{name}.wav"

    def keep(self, pending: Pending) -> None:
        """A conversation begins or ends; should nobody see more of it, it will be sealed all the same."""
        self._journal.put(f"recording/{pending.visit}", msgspec.to_builtins(pending, enc_hook=str))

    def ended(self, visit: str, end_ms: int) -> None:
        """What is recorded of this visit ended at that instant, which is learnt only now, unless its end was seen before."""
        data = self._journal.get(f"recording/{visit}", dict)
        if data is not None and (pending := _pending(data)).end_ms is None:
            self.keep(msgspec.structs.replace(pending, end_ms=end_ms))

    def seal_soon(self, pending: Pending) -> None:
        """The call is over and everything is known."""
        self.keep(pending)
        self._add(pending.visit)

    def discard(self, call_id: str, visit: str, at: datetime) -> None:
        """There will be no conversation: what was recorded since a seat picked up for this visit is removed."""
        tracks = {side: self.raw_file(f"{visit}.{side}") for side in ("caller", "seat")}
        self.seal_soon(
            Pending(
                call_id=call_id,
                visit=visit,
                day=at,
                caller_file=tracks["caller"],
                caller_started_ms=0,
                seat_file=tracks["seat"],
                seat_started_ms=0,
                begin_ms=0,
                settled=True,
            )
        )

    def resume(self, going_on: set[str]) -> None:
        """Seal what an earlier controller left, except the visits that are still talking."""
        for pending in self.unsealed():
            if pending.visit not in going_on:
                self._add(pending.visit)

    def find(self, visit: str) -> Pending:
        """What was kept of the conversation of this visit, which is going on."""
        return next(pending for pending in self.unsealed() if pending.visit == visit)

    def add(self, visit: str, side: Side, track: Part) -> None:
        """A further track of the conversation that is going on; or, of one that was added before, when it really began."""
        pending = self.find(visit)
        parts = [part for part in getattr(pending, side) if part.path != track.path]
        self.keep(msgspec.structs.replace(pending, **{side: (*parts, track)}))

    def drop(self, visit: str, side: Side, path: Path) -> None:
        """A further track was never begun."""
        pending = self.find(visit)
        parts = tuple(part for part in getattr(pending, side) if part.path != path)
        self.keep(msgspec.structs.replace(pending, **{side: parts}))

    def unsealed(self) -> list[Pending]:
        """Everything begun and not sealed yet."""
        return [_pending(data) for data in self._journal.find("recording/", dict).values()]

    def _add(self, visit: str) -> None:
        self._ended.add(visit)
        self._queue.put_nowait(visit)

    async def run(self) -> None:
        """Seal and look at the disks, for ever."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._room.watch())
            tasks.create_task(self._seal_all())
            tasks.create_task(remove_strays(self._raw, self._claimed))

    def _claimed(self) -> set[Path]:
        return {track for pending in self.unsealed() for track in pending.tracks}

    async def _seal_all(self) -> None:
        while True:
            visit = await self._queue.get()
            try:
                await self._settle(visit)
            except OSError as error:
                self._put_off(visit, str(error))
            except Exception as error:  # whatever it is, it must not take the calls down, nor the next controller
                log.exception("a recording cannot be sealed", visit=visit)
                self._put_off(visit, repr(error))
            else:
                self._ended.discard(visit)
                self._refused.pop(visit, None)
            self._alarms.tell(NOT_SEALED, "recordings", self._refusal())

    def _put_off(self, visit: str, reason: str) -> None:
        """The disk refused: nothing is lost, the tracks are still there, and it is tried again."""
        log.warning("a recording cannot be sealed yet", visit=visit, reason=reason)
        self._refused[visit] = reason
        asyncio.get_running_loop().call_later(RETRY_S, self._queue.put_nowait, visit)

    def _refusal(self) -> str | None:
        if not self._refused:
            return None
        return (
            f"{self._folder}: {len(self._refused)} recordings cannot be sealed: {next(iter(self._refused.values()))}; "
            "their tracks are kept and tried again. Mend: make room on that disk, and see that it can be written."
        )

    async def _settle(self, visit: str) -> None:
        """Seal and tell, or tell why there is no recording; then remove the tracks. Raises OSError to be tried again."""
        data = self._journal.get(f"recording/{visit}", dict)
        if data is None:
            return
        pending = _pending(data)
        if not pending.settled:
            pending = await self._told(pending)
        await self._journal.flush()  # a controller that dies here must not find the tracks gone and the fact, too
        await asyncio.to_thread(_remove_tracks, pending)
        self._journal.forget(f"recording/{pending.visit}")

    async def _told(self, pending: Pending) -> Pending:
        """What is left to do once its row is told; that, too, is kept in one commit with the row."""
        facts = await self._outcome(pending)
        settled = msgspec.structs.replace(pending, settled=True)
        with self._journal.together():
            for fact in facts:
                self._facts.record(fact)
            self.keep(settled)
        return settled

    async def _outcome(self, pending: Pending) -> list[AnyFact]:
        call_id, visit = pending.call_id, pending.visit
        if pending.unrecorded:
            return [RecordingLost(call_id=call_id, visit=visit, reason=pending.unrecorded)]
        target = place(self._folder, pending.day.astimezone(self._zone).date(), visit)
        try:
            sealed = await asyncio.to_thread(_seal, pending, target)
        except RexianError as error:
            reason = " ".join(filter(None, (str(error), self._room.trouble)))
            log.error("recording lost", call_id=call_id, visit=visit, error=reason)
            return [
                RecordingLost(call_id=call_id, visit=visit, reason=reason),
                AlarmRaised(name=LOST, subject=visit, detail=reason),
            ]
        alarms = [AlarmRaised(name=alarm, subject=visit, detail=str(sealed.path)) for alarm in sealed.alarms]
        return [_fact(pending, sealed, self._folder), *alarms]


def _pending(data: object) -> Pending:
    return msgspec.convert(data, Pending, dec_hook=lambda _, text: Path(text))


def _seal(pending: Pending, target: Path) -> Sealed:
    caller = Leg(pending.caller_file, pending.caller_started_ms, pending.caller_packets, pending.caller_again)
    seat = (
        Leg(pending.seat_file, pending.seat_started_ms, pending.seat_packets, pending.seat_again, pending.beside)
        if pending.seat_file
        else None
    )
    end_ms = pending.end_ms if pending.end_ms is not None else _end_of_tracks(*filter(None, (caller, seat)))
    return seal(caller, seat, target, begin_ms=pending.begin_ms, end_ms=end_ms)


def _remove_tracks(pending: Pending) -> None:
    """What nobody can read and is not empty is left aside, for a person to look at; its recording is lost."""
    for track in pending.tracks:
        if not track.exists():
            continue
        if readable(track) or track.stat().st_size <= HEADER_BYTES:
            track.unlink()
        else:
            track.rename(track.with_suffix(".unreadable"))


def _end_of_tracks(*legs: Leg) -> int:
    """Where the longest track ends: what a conversation lasted whose end nobody saw."""
    ends = [leg.started_ms for leg in legs]
    for part in (part for leg in legs for part in leg.parts):
        if part.path.exists():
            samples = max(0, part.path.stat().st_size - HEADER_BYTES) // 2
            ends.append(part.started_ms + min(LONGEST_MS, samples * 1000 // RATE))
    return max(ends)


def _fact(pending: Pending, sealed: Sealed, folder: Path) -> RecordingSealed:
    return RecordingSealed(
        call_id=pending.call_id,
        visit=pending.visit,
        path=str(sealed.path.relative_to(folder)),
        sha256=sealed.sha256,
        length_ms=sealed.length_ms,
        left_dbfs=sealed.left.rms_dbfs,
        right_dbfs=sealed.right.rms_dbfs if sealed.right else None,
        left_packets=pending.caller_packets,
        right_packets=pending.seat_packets,
        alarms=sealed.alarms,
    )
