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
from calls.facts import AlarmCleared, AlarmRaised, AnyFact, RecordingLost, RecordingSealed
from cti import recorder as recorder_module
from cti import strays as strays_module
from cti.recorder import LONGEST_MS, Pending, Recorder
from cti.store import Journal
from recordings import Part
from recordings.legs import HEADER_BYTES
from recordings.listen import channels, dominant_hz
from tests.asterisk.ears import tone_dbfs
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
        recorder = Recorder(self.facts, journal, self.recordings, self.raw, ZoneInfo("Asia/Shanghai"), reserve_mb=1)
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
            for track, hz, ms in zip(pending.tracks, (440, 1000), (3000, 2500), strict=True):
                write_tone(track, hz, ms)
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
        await eventually(lambda: recorder.waiting == 0)

        assert recorder.unsealed() == []
        assert list(site.raw.iterdir()) == []
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


async def test_what_a_lead_says_to_both_is_on_the_advisers_side(site: Site) -> None:
    async with site.recorder() as recorder:
        site.talk(recorder, "call-1.1")
        spoken, never = (recorder.raw_file(f"call-1.1.beside.{number}") for number in (1, 2))
        recorder.add("call-1.1", "beside", Part(spoken, 1400))
        recorder.add("call-1.1", "seat_again", Part(never, 1450))
        recorder.add("call-1.1", "beside", Part(spoken, 1500))  # it really began only then
        recorder.drop("call-1.1", "seat_again", never)
        write_tone(spoken, 700, 5000)
        pending = recorder.find("call-1.1")
        assert (pending.beside, pending.seat_again) == ((Part(spoken, 1500),), ())
        recorder.seal_soon(over(pending))
        (sealed,) = await site.told(1)
        await eventually(lambda: recorder.waiting == 0)
        assert list(site.raw.iterdir()) == []
    assert isinstance(sealed, RecordingSealed)
    (left, right), rate = channels(site.recordings / sealed.path)
    assert dominant_hz(left, rate) == pytest.approx(440, abs=1)
    second = [tone_dbfs(right[rate // 2 :], hz) for hz in (700, 1000)]
    assert min(second) > -20
    assert tone_dbfs(right[: rate // 2], 700) < -60


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
        pending.tracks[1].unlink()
        recorder.seal_soon(pending)
        sealed, _ = await site.told(2)

    assert isinstance(sealed, RecordingSealed)
    assert sealed.alarms == ("recording_leg_missing",)
    assert sealed.right_dbfs is None
    assert site.facts.alarms == [("recording_leg_missing", "call-1.1")]


async def test_what_the_disk_refuses_is_kept_and_sealed_when_it_can_be(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorder_module, "RETRY_S", 0.02)
    site.recordings.write_text("a file where the folder should be")
    async with site.recorder() as recorder:
        recorder.seal_soon(over(site.talk(recorder, "call-1.1")))
        recorder.seal_soon(over(site.talk(recorder, "call-2.1")))
        await eventually(lambda: "2 recordings cannot be sealed" in (recorder.problem or ""))
        assert site.facts.alarms == [("recording_not_sealed", "recordings")]
        assert [fact for fact in site.facts.all if not isinstance(fact, AlarmRaised)] == []
        assert (recorder.waiting, len(recorder.unsealed()), len(list(site.raw.iterdir()))) == (2, 2, 4)

        site.recordings.unlink()
        await eventually(lambda: not recorder.unsealed())
        await eventually(lambda: recorder.problem is None)
        assert (recorder.waiting, list(site.raw.iterdir())) == (0, [])
    sealed = [fact for fact in site.facts.all if isinstance(fact, RecordingSealed)]
    assert sorted(fact.visit for fact in sealed) == ["call-1.1", "call-2.1"]
    assert [fact for fact in site.facts.all if isinstance(fact, AlarmCleared)] == [
        AlarmCleared(name="recording_not_sealed", subject="recordings")
    ]


async def test_a_fault_of_ours_in_sealing_takes_nothing_else_down(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("a slip of ours")

    monkeypatch.setattr(recorder_module, "seal", broken)
    async with site.recorder() as recorder:
        recorder.seal_soon(over(site.talk(recorder, "call-1.1")))
        await eventually(lambda: "a slip of ours" in (recorder.problem or ""))
        recorder.seal_soon(msgspec.structs.replace(over(site.talk(recorder, "call-2.1")), unrecorded="no room"))
        await eventually(lambda: len(recorder.unsealed()) == 1)
    assert site.facts.alarms == [("recording_not_sealed", "recordings")]
    assert len(list(site.raw.iterdir())) == 2


async def test_an_alarm_that_a_dead_controller_raised_is_cleared_by_the_next(site: Site) -> None:
    site.recordings.write_text("a file where the folder should be")
    for _ in range(2):
        async with site.recorder() as recorder:
            if not recorder.unsealed():
                recorder.keep(over(site.talk(recorder, "call-1.1")))
            recorder.resume(set())
            await eventually(lambda: recorder.problem is not None)
    assert site.facts.alarms == [("recording_not_sealed", "recordings")]
    site.recordings.unlink()
    async with site.recorder() as recorder:
        recorder.resume(set())
        await eventually(lambda: any(isinstance(fact, AlarmCleared) for fact in site.facts.all))


async def test_a_conversation_without_room_is_marked_and_raises_no_alarm_of_its_own(site: Site) -> None:
    async with site.recorder() as recorder:
        pending = over(site.talk(recorder, "call-1.1", sound=False))
        recorder.seal_soon(msgspec.structs.replace(pending, unrecorded="only 3 MB free"))
        await eventually(lambda: not recorder.unsealed())
    assert site.facts.all == [RecordingLost(call_id="call-1", visit="call-1.1", reason="only 3 MB free")]


async def test_what_is_lost_leaves_no_empty_track_and_what_a_person_might_read(site: Site) -> None:
    async with site.recorder() as recorder:
        pending = over(site.talk(recorder, "call-1.1"))
        pending.caller_file.write_bytes(b"")
        pending.tracks[1].write_bytes(b"OggS" + bytes(100))
        recorder.seal_soon(pending)
        await eventually(lambda: not recorder.unsealed())
    assert [path.name for path in site.raw.iterdir()] == ["call-1.1.seat.unreadable"]


async def test_a_conversation_without_length_leaves_no_track(site: Site) -> None:
    async with site.recorder() as recorder:
        pending = over(site.talk(recorder, "call-1.1"))
        recorder.seal_soon(msgspec.structs.replace(pending, end_ms=pending.begin_ms))
        await eventually(lambda: not recorder.unsealed())
    assert site.facts.alarms == [("recording_lost", "call-1.1")]
    assert list(site.raw.iterdir()) == []


async def test_tracks_of_a_conversation_that_never_began_are_removed_and_no_others(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(strays_module, "ROUND_S", 0.02)
    write_tone(site.raw / "of-an-older-journal.wav", 440, ms=11_000)
    write_tone(site.raw / "call-1.1.caller.wav", 440, ms=3000)
    write_tone(site.raw / "call-1.1.seat.wav", 1000, ms=2500)
    async with site.recorder() as recorder:
        site.talk(recorder, "call-2.1")
        await eventually(lambda: len(list(site.raw.iterdir())) == 3)
    assert sorted(path.name for path in site.raw.iterdir()) == [
        "call-2.1.caller.wav",
        "call-2.1.seat.wav",
        "of-an-older-journal.wav",
    ]
    assert site.facts.all == []


async def test_a_track_that_still_grows_is_no_stray(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(strays_module, "ROUND_S", 0.02)
    looks = 0

    def claimed() -> set[Path]:
        nonlocal looks
        looks += 1
        if looks < 5:
            write_tone(site.raw / "call-1.1.seat.wav", 440, ms=100 * looks)
        return set()

    removing = asyncio.create_task(strays_module.remove_strays(site.raw, claimed))
    await eventually(lambda: looks == 5)
    assert (site.raw / "call-1.1.seat.wav").exists()
    await eventually(lambda: not list(site.raw.iterdir()))
    removing.cancel()


async def test_an_attempt_that_never_began_takes_no_track_of_the_one_that_did(site: Site) -> None:
    async with site.recorder() as recorder:
        pending = over(site.talk(recorder, "call-1.1"))
        recorder.seal_soon(msgspec.structs.replace(pending, end_ms=None, settled=True))
        recorder.seal_soon(pending)
        await eventually(lambda: recorder.waiting == 0)
        assert (recorder.unsealed(), list(site.raw.iterdir())) == ([], [])
    assert [type(fact) for fact in site.facts.all] == [RecordingSealed]


async def test_tracks_go_only_once_the_recording_is_known_for_good(site: Site) -> None:
    journal = SlowDisk(site.path)
    async with site.recorder(journal) as recorder:
        recorder.seal_soon(over(site.talk(recorder, "call-1.1")))
        await site.told(1)
        assert len(list(site.raw.iterdir())) == 2

        journal.safe.set()
        await eventually(lambda: not list(site.raw.iterdir()))


async def test_a_controller_killed_before_the_tracks_went_is_tidied_up_after_and_tells_nothing_twice(
    site: Site,
) -> None:
    async with site.recorder(SlowDisk(site.path)) as recorder:
        recorder.seal_soon(over(site.talk(recorder, "call-1.1")))
        await site.told(1)
        await eventually(lambda: recorder.unsealed()[0].settled)
    async with site.recorder() as recorder:
        recorder.resume(set())
        await eventually(lambda: not recorder.unsealed())
    assert len(site.facts.all) == 1
    assert list(site.raw.iterdir()) == []


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


async def test_a_voice_message_is_sealed_with_one_channel(site: Site) -> None:
    async with site.recorder() as recorder:
        track = recorder.raw_file("call-1.m1")
        write_tone(track, 440, ms=3000)
        pending = Pending(
            call_id="call-1",
            visit="call-1.m1",
            day=EVENING_UTC,
            caller_file=track,
            caller_started_ms=900,
            caller_packets=150,
            begin_ms=1000,
            end_ms=3000,
        )
        recorder.seal_soon(pending)
        [sealed] = await site.told(1)
        await eventually(lambda: not recorder.unsealed())
    assert isinstance(sealed, RecordingSealed)
    assert (sealed.visit, sealed.length_ms, sealed.right_dbfs, sealed.right_packets) == ("call-1.m1", 2000, None, 0)
    assert sealed.alarms == ()
    sound, rate = soundfile.read(site.recordings / sealed.path, always_2d=True)
    assert (sound.shape, rate) == ((16_000, 1), 8000)
    assert not track.exists()
