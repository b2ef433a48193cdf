"""Recordings after the call, on a real journal: sealed once, whoever saw the end; lost only with an alarm."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
import numpy as np
import pytest
import soundfile  # type: ignore[import-untyped]  # it ships no types

from calls.clock import SystemClock
from calls.facts import AlarmRaised, AnyFact, RecordingLost, RecordingSealed
from cti.recorder import HEADER_BYTES, LONGEST_MS, Pending, Recorder
from cti.store import Journal
from recordings.listen import channels, dominant_hz
from tests.eventually import eventually

EVENING_UTC = datetime(2026, 11, 21, 17, 30, tzinfo=UTC)
"""Past midnight in Shanghai."""
RATE = 8000


class Facts:
    """A FactSink that keeps them."""

    def __init__(self) -> None:
        self.all: list[AnyFact] = []

    def record(self, fact: AnyFact) -> None:
        self.all.append(fact)

    @property
    def alarms(self) -> list[tuple[str, str]]:
        return [(fact.name, fact.subject) for fact in self.all if isinstance(fact, AlarmRaised)]


class SlowDisk(Journal):
    """A journal that is not on the disk until told."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, "node1", SystemClock())
        self.safe = asyncio.Event()

    async def flush(self) -> None:
        await self.safe.wait()
        await super().flush()


class Site:
    """One controller's recorder after the other, on the same folder."""

    def __init__(self, folder: Path) -> None:
        self.raw, self.recordings, self.path = folder / "raw", folder / "recordings", folder / "journal.db"
        self.raw.mkdir()
        self.facts = Facts()

    @asynccontextmanager
    async def recorder(self, journal: Journal | None = None) -> AsyncIterator[Recorder]:
        journal = journal or Journal(self.path, "node1", SystemClock())
        recorder = Recorder(self.facts, journal, self.recordings, self.raw, ZoneInfo("Asia/Shanghai"))
        running = asyncio.create_task(recorder.run())
        try:
            yield recorder
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
            await journal.close()

    def talk(self, recorder: Recorder, visit: str, *, sound: bool = True) -> Pending:
        """A conversation begins: from 1,000 ms on; its tracks are written, 440 and 1,000 Hz."""
        pending = Pending(
            call_id="call-1",
            visit=visit,
            day=EVENING_UTC,
            caller_file=recorder.raw_file(f"{visit}.caller"),
            caller_started_ms=900,
            seat_file=recorder.raw_file(f"{visit}.seat"),
            seat_started_ms=800,
            begin_ms=1000,
        )
        recorder.keep(pending)
        if sound:
            write_tone(pending.caller_file, 440, ms=3000)
            write_tone(pending.seat_file, 1000, ms=2500)
        return pending

    async def told(self, facts: int) -> list[AnyFact]:
        await eventually(lambda: len(self.facts.all) >= facts)
        return self.facts.all


def write_tone(path: Path, hz: float, ms: int) -> None:
    samples = 0.3 * np.sin(2 * np.pi * hz * np.arange(ms * RATE // 1000) / RATE)
    soundfile.write(path, samples, RATE, subtype="PCM_16", format="WAV")


def over(pending: Pending) -> Pending:
    """The conversation ends after 2 s."""
    return msgspec.structs.replace(pending, end_ms=3000, caller_packets=100, seat_packets=99)


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


async def test_a_conversation_is_sealed_after_the_call(site: Site) -> None:
    async with site.recorder() as recorder:
        pending = over(site.talk(recorder, "call-1.1"))
        recorder.seal_soon(pending)
        (sealed,) = await site.told(1)
        await eventually(lambda: not list(site.raw.iterdir()))

        assert recorder.unsealed() == []
        assert recorder.waiting == 0
    assert isinstance(sealed, RecordingSealed)
    assert (sealed.call_id, sealed.visit, sealed.length_ms, sealed.alarms) == ("call-1", "call-1.1", 2000, ())
    assert (sealed.left_packets, sealed.right_packets) == (100, 99)
    assert sealed.path == "2026/11/22/call-1.1.wav"
    path = site.recordings / sealed.path
    assert sealed.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    (left, right), rate = channels(path)
    assert [dominant_hz(left, rate), dominant_hz(right, rate)] == pytest.approx([440, 1000], abs=1)


async def test_a_conversation_that_goes_on_is_found_and_not_sealed(site: Site) -> None:
    async with site.recorder() as recorder:
        pending = site.talk(recorder, "call-1.1")
        site.talk(recorder, "call-1.2")

        assert recorder.find("call-1.1") == pending
        assert len(recorder.unsealed()) == 2
        assert recorder.waiting == 0


async def test_what_a_dead_controller_left_is_sealed_to_the_end_of_its_tracks(site: Site) -> None:
    async with site.recorder() as recorder:
        site.talk(recorder, "call-1.1")
    async with site.recorder() as recorder:
        recorder.resume(set())
        (sealed,) = await site.told(1)

    assert isinstance(sealed, RecordingSealed)
    assert sealed.length_ms == 900 + 3000 - 1000


async def test_an_end_that_was_seen_counts_after_a_restart_too(site: Site) -> None:
    async with site.recorder() as recorder:
        recorder.keep(over(site.talk(recorder, "call-1.1")))
    async with site.recorder() as recorder:
        recorder.resume(set())
        (sealed,) = await site.told(1)

    assert isinstance(sealed, RecordingSealed)
    assert (sealed.length_ms, sealed.left_packets) == (2000, 100)


async def test_visits_that_still_talk_are_left_alone(site: Site) -> None:
    async with site.recorder() as recorder:
        site.talk(recorder, "call-1.1")
        site.talk(recorder, "call-2.1")
    async with site.recorder() as recorder:
        recorder.resume({"call-1.1"})
        (sealed,) = await site.told(1)
        await eventually(lambda: len(recorder.unsealed()) == 1)

        assert recorder.find("call-1.1").caller_file.exists()
    assert isinstance(sealed, RecordingSealed)
    assert sealed.visit == "call-2.1"


async def test_a_recording_without_tracks_is_lost_with_an_alarm_and_holds_up_no_other(site: Site) -> None:
    async with site.recorder() as recorder:
        recorder.seal_soon(over(site.talk(recorder, "call-1.1", sound=False)))
        recorder.seal_soon(over(site.talk(recorder, "call-2.1")))
        lost, _, sealed = await site.told(3)
        await eventually(lambda: not recorder.unsealed())

    assert isinstance(lost, RecordingLost)
    assert lost.visit == "call-1.1"
    assert "could be read" in lost.reason
    assert site.facts.alarms == [("recording_lost", "call-1.1")]
    assert isinstance(sealed, RecordingSealed)


async def test_one_missing_track_is_an_alarm_and_the_other_is_kept(site: Site) -> None:
    async with site.recorder() as recorder:
        pending = over(site.talk(recorder, "call-1.1"))
        pending.seat_file.unlink()
        recorder.seal_soon(pending)
        sealed, _ = await site.told(2)

    assert isinstance(sealed, RecordingSealed)
    assert sealed.alarms == ("recording_leg_missing",)
    assert sealed.right_dbfs is None
    assert site.facts.alarms == [("recording_leg_missing", "call-1.1")]


async def test_tracks_are_kept_when_the_recording_cannot_be_written(site: Site) -> None:
    site.recordings.write_text("a file where the folder should be")
    async with site.recorder() as recorder:
        recorder.seal_soon(over(site.talk(recorder, "call-1.1")))
        await site.told(2)

    assert site.facts.alarms == [("recording_lost", "call-1.1")]
    assert len(list(site.raw.iterdir())) == 2


async def test_tracks_go_only_once_the_recording_is_known_for_good(site: Site) -> None:
    journal = SlowDisk(site.path)
    async with site.recorder(journal) as recorder:
        recorder.seal_soon(over(site.talk(recorder, "call-1.1")))
        await site.told(1)
        await eventually(lambda: not recorder.unsealed())
        assert len(list(site.raw.iterdir())) == 2

        journal.safe.set()
        await eventually(lambda: not list(site.raw.iterdir()))


async def test_a_track_that_never_ended_is_not_taken_for_a_day_long_conversation(site: Site) -> None:
    async with site.recorder() as recorder:
        pending = site.talk(recorder, "call-1.1")
        with pending.caller_file.open("r+b") as track:
            track.truncate(HEADER_BYTES + 2 * RATE * 5 * 3600)  # five hours of nothing, on a disk that keeps no zeros
        recorder.keep(msgspec.structs.replace(pending, begin_ms=pending.caller_started_ms + LONGEST_MS - 500))
        recorder.resume(set())
        sealed = (await site.told(1))[0]

    assert isinstance(sealed, RecordingSealed)
    assert sealed.length_ms == 500
