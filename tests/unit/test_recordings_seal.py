"""Sealing: every sound in its channel at its time, whatever Asterisk left behind."""

from __future__ import annotations

import hashlib
import resource
import struct
import subprocess
import sys
import tempfile
import wave
from datetime import date
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np
import pytest
import soundfile  # type: ignore[import-untyped]  # it ships no types
from hypothesis import given, settings
from hypothesis import strategies as st

from calls.errors import NotPossible
from recordings import Leg, Part, Sealed, place, seal
from recordings.listen import Samples, channels, dominant_hz, segments

RATE = 8000


def tone(hz: float, ms: int, amplitude: float = 0.3) -> Samples:
    return amplitude * np.sin(2 * np.pi * hz * np.arange(ms * RATE // 1000) / RATE)


def raw(path: Path, samples: Samples) -> Path:
    """A track as Asterisk writes it."""
    soundfile.write(path, samples, RATE, subtype="PCM_16", format="WAV")
    return path


def heard(sealed: Sealed) -> tuple[Samples, Samples]:
    (left, right), rate = channels(sealed.path)
    assert rate == RATE
    return left, right


@pytest.fixture
def caller(tmp_path: Path) -> Leg:
    return Leg(raw(tmp_path / "caller.wav", tone(440, 3000)), started_ms=0, packets=150)


@pytest.fixture
def adviser(tmp_path: Path) -> Leg:
    return Leg(raw(tmp_path / "adviser.wav", tone(1000, 3000)), started_ms=0, packets=150)


class Side(NamedTuple):
    """A track that began at one instant and whose party spoke once."""

    started_ms: int
    quiet_ms: int
    speaks_ms: int

    @property
    def spoken(self) -> tuple[int, int]:
        """From when to when the party spoke."""
        return self.started_ms + self.quiet_ms, self.started_ms + self.quiet_ms + self.speaks_ms


SIDES = st.builds(Side, st.integers(90_000, 95_000), st.integers(0, 2000), st.integers(100, 3000))


@settings(max_examples=60, deadline=None)
@given(left=SIDES, right=SIDES, begin=st.integers(91_000, 96_000), length=st.integers(1, 6000))
def test_each_party_is_in_its_channel_at_its_time(left: Side, right: Side, begin: int, length: int) -> None:
    end = begin + length
    with tempfile.TemporaryDirectory() as folder:
        legs = []
        for side, hz in ((left, 440), (right, 1000)):
            samples = np.concatenate([np.zeros(side.quiet_ms * 8), tone(hz, side.speaks_ms)])
            legs.append(Leg(raw(Path(folder) / f"{hz}.wav", samples), side.started_ms, packets=100))
        sealed = seal(legs[0], legs[1], Path(folder) / "sealed.wav", begin_ms=begin, end_ms=end)
        tracks = heard(sealed)
    assert sealed.length_ms == length
    assert [len(track) for track in tracks] == [length * 8, length * 8]
    for track, side, hz, about in zip(tracks, (left, right), (440, 1000), (sealed.left, sealed.right), strict=True):
        start, stop = (min(max(instant, begin), end) - begin for instant in side.spoken)
        assert not track[: start * 8].any()
        assert not track[stop * 8 :].any()
        assert about
        assert about.silent == (stop <= start) or stop - start < 2
        if stop - start >= 100:
            assert dominant_hz(track[start * 8 : stop * 8], RATE) == pytest.approx(hz, abs=3)
            assert about.peak_dbfs == pytest.approx(-10.46, abs=0.05)
            ((found_start, found_stop),) = segments(track, RATE)
            assert abs(found_start - start) <= 10
            assert abs(found_stop - stop) <= 10


def test_where_recording_was_stopped_both_channels_are_silent_and_the_rest_is_in_its_place(tmp_path: Path) -> None:
    legs = [
        Leg(
            raw(tmp_path / f"{hz}.wav", tone(hz, 1000)),
            started_ms=0,
            packets=200,
            again=(Part(raw(tmp_path / f"{hz}.2.wav", tone(hz, 2000)), 3000), Part(tmp_path / f"{hz}.3.wav", 5500)),
        )
        for hz in (440, 1000)
    ]
    sealed = seal(legs[0], legs[1], tmp_path / "sealed.wav", begin_ms=0, end_ms=5000)
    assert sealed.alarms == ()
    for track, about, hz in zip(heard(sealed), (sealed.left, sealed.right), (440, 1000), strict=True):
        assert about
        assert about.covered_ms == 3000
        assert segments(track, RATE) == [(0, 1000), (3000, 5000)]
        assert not track[RATE : 3 * RATE].any()
        assert dominant_hz(track[3 * RATE :], RATE) == pytest.approx(hz, abs=1)


def test_who_spoke_besides_is_mixed_in_and_not_measured(tmp_path: Path) -> None:
    caller = Leg(raw(tmp_path / "caller.wav", tone(440, 3000)), 0, packets=150)
    lead = (
        Part(raw(tmp_path / "lead.1.wav", tone(700, 1000)), 1000),
        Part(raw(tmp_path / "lead.2.wav", np.full(RATE, 30_000, np.int16)), 2000),
        Part(tmp_path / "never begun.wav", 2000),
    )
    adviser = Leg(raw(tmp_path / "adviser.wav", tone(1000, 3000)), 0, packets=150, beside=lead)
    sealed = seal(caller, adviser, tmp_path / "sealed.wav", begin_ms=0, end_ms=3000)
    alone = seal(caller, msgspec.structs.replace(adviser, beside=()), tmp_path / "alone.wav", begin_ms=0, end_ms=3000)
    assert sealed.alarms == ()
    assert sealed.right == alone.right, "measured is the adviser"
    (left, right), (_, without) = heard(sealed), heard(alone)
    assert dominant_hz(left, RATE) == pytest.approx(440, abs=1)
    assert (right[:RATE] == without[:RATE]).all()
    added = right[RATE : 2 * RATE] - without[RATE : 2 * RATE]
    assert dominant_hz(added, RATE) == pytest.approx(700, abs=1)
    assert right[2 * RATE :].max() == pytest.approx(32767 / 32768), "as loud as can be, and no louder"


def test_what_is_told_of_a_recording_is_true_of_its_file(caller: Leg, adviser: Leg, tmp_path: Path) -> None:
    sealed = seal(caller, adviser, tmp_path / "2026" / "sealed.wav", begin_ms=500, end_ms=2500)
    found = soundfile.info(sealed.path)
    assert (found.samplerate, found.channels, found.subtype, found.frames) == (RATE, 2, "PCM_16", 16000)
    assert sealed.sha256 == hashlib.sha256(sealed.path.read_bytes()).hexdigest()
    assert sealed.left.rms_dbfs == pytest.approx(-13.47, abs=0.02)
    assert sealed.left.peak_dbfs == pytest.approx(-10.46, abs=0.02)
    assert (sealed.left.covered_ms, sealed.left.silent, sealed.left.repaired) == (2000, False, False)
    assert sealed.alarms == ()
    assert [path.name for path in sealed.path.parent.iterdir()] == ["sealed.wav"]


@pytest.mark.parametrize("claimed", [0, 0xFFFFFFFF, 10**6])
def test_the_length_that_a_killed_asterisk_never_wrote_is_taken_from_the_file(
    caller: Leg, adviser: Leg, tmp_path: Path, claimed: int
) -> None:
    with caller.path.open("r+b") as file:
        file.seek(40)
        file.write(struct.pack("<I", claimed))
    sealed = seal(caller, adviser, tmp_path / "sealed.wav", begin_ms=0, end_ms=3000)
    left, _ = heard(sealed)
    assert dominant_hz(left, RATE) == pytest.approx(440, abs=0.5)
    assert (sealed.left.covered_ms, sealed.left.repaired, sealed.right and sealed.right.repaired) == (3000, True, False)
    assert sealed.alarms == ("recording_leg_repaired",)


def test_a_track_cut_in_the_middle_of_a_sample_is_used_to_its_last_whole_one(
    caller: Leg, adviser: Leg, tmp_path: Path
) -> None:
    caller.path.write_bytes(caller.path.read_bytes()[: 44 + 2 * 8000 + 1])
    sealed = seal(caller, adviser, tmp_path / "sealed.wav", begin_ms=0, end_ms=3000)
    assert (sealed.left.covered_ms, sealed.left.repaired) == (1000, True)
    assert sealed.alarms == ("recording_leg_repaired", "recording_leg_short")


CLAIMS = st.one_of(st.just(0), st.just(0xFFFFFFFF), st.integers(0, 3 * RATE * 2), st.none())
"""What a header says of the sound's length: nothing yet, as much as it can, anything, or zeros instead of a header."""


@settings(max_examples=200, deadline=None)
@given(cut=st.one_of(st.integers(0, 50), st.integers(0, 44 + 3 * RATE * 2)), claim=CLAIMS)
def test_a_track_cut_anywhere_gives_all_that_is_left_of_it_and_an_alarm(cut: int, claim: int | None) -> None:
    with tempfile.TemporaryDirectory() as folder:
        caller, adviser = Path(folder) / "caller.wav", Path(folder) / "adviser.wav"
        content = bytearray(raw(caller, tone(440, 3000)).read_bytes())
        sound = np.frombuffer(content[44:], dtype="<i2")
        content[40:44] = struct.pack("<I", claim or 0)
        if claim is None:
            content[:44] = bytes(44)
        caller.write_bytes(content[:cut])
        raw(adviser, tone(1000, 3000))
        sealed = seal(Leg(caller, 0, 150), Leg(adviser, 0, 150), Path(folder) / "x.wav", begin_ms=0, end_ms=3000)
        left, right = soundfile.read(sealed.path, dtype="int16")[0].T
    whole = max(0, cut - 44) // 2
    assert (left[:whole] == sound[:whole]).all()
    assert not left[whole:].any()
    assert right.any()
    expected = set()
    if cut < 44 or (claim is None and cut == 44):
        expected = {"recording_leg_unreadable"}
    else:
        if claim is None or claim != cut - 44:
            expected |= {"recording_leg_repaired"}
        if not left.any():
            expected |= {"recording_silent_leg"}
        if whole < 2 * RATE:
            expected |= {"recording_leg_short"}
    assert set(sealed.alarms) == expected


def test_the_header_chunks_of_other_writers_are_passed_over(caller: Leg, adviser: Leg, tmp_path: Path) -> None:
    content = caller.path.read_bytes()
    listed = struct.pack("<4sI", b"LIST", 8) + b"INFOxxxx"
    caller.path.write_bytes(content[:12] + listed + content[12:] + listed)
    sealed = seal(caller, adviser, tmp_path / "sealed.wav", begin_ms=0, end_ms=3000)
    assert (sealed.left.covered_ms, sealed.left.repaired) == (3000, False)


def test_a_leg_that_had_packets_and_no_sound_is_an_alarm(adviser: Leg, tmp_path: Path) -> None:
    path = raw(tmp_path / "silent.wav", np.zeros(3 * RATE))
    sealed = seal(Leg(path, 0, packets=150), adviser, tmp_path / "sealed.wav", begin_ms=0, end_ms=3000)
    assert sealed.alarms == ("recording_silent_leg",)
    assert (sealed.left.silent, sealed.left.rms_dbfs, sealed.left.alarms) == (True, None, ("recording_silent_leg",))
    assert seal(Leg(path, 0, packets=0), adviser, tmp_path / "sealed.wav", begin_ms=0, end_ms=3000).alarms == ()


def test_the_idle_code_of_a_law_is_silence_and_a_soft_breath_is_not(adviser: Leg, tmp_path: Path) -> None:
    for amplitude, silent in ((8, True), (-8, True), (40, False)):
        path = raw(tmp_path / "quiet.wav", np.full(3 * RATE, amplitude / 32768))
        sealed = seal(Leg(path, 0, packets=150), adviser, tmp_path / "sealed.wav", begin_ms=0, end_ms=3000)
        assert sealed.left.silent is silent


@pytest.mark.parametrize(
    ("content", "alarm"),
    [
        (None, "recording_leg_missing"),
        (b"", "recording_leg_unreadable"),
        (b"RIFF\0\0\0\0WAVE", "recording_leg_unreadable"),
        (b"RIFF\0\0\0\0WAVEfmt ", "recording_leg_unreadable"),
        (b"RIFF\0\0\0\0WAVEdata\0\0\0\0", "recording_leg_unreadable"),
        (b"OggS" + bytes(100), "recording_leg_unreadable"),
    ],
)
def test_a_leg_that_cannot_be_read_is_silent_in_the_file_and_an_alarm(
    caller: Leg, adviser: Leg, tmp_path: Path, content: bytes | None, alarm: str
) -> None:
    if content is None:
        caller.path.unlink()
    else:
        caller.path.write_bytes(content)
    sealed = seal(caller, adviser, tmp_path / "sealed.wav", begin_ms=0, end_ms=3000)
    left, right = heard(sealed)
    assert sealed.alarms == (alarm,)
    assert (sealed.left.silent, sealed.left.covered_ms, len(left)) == (True, 0, len(right))
    assert dominant_hz(right, RATE) == pytest.approx(1000, abs=0.5)


@pytest.mark.parametrize("kind", [(2, 8000, "PCM_16"), (1, 16000, "PCM_16"), (1, 8000, "ALAW")])
def test_a_track_of_another_format_is_not_taken_for_sound(
    caller: Leg, adviser: Leg, tmp_path: Path, kind: tuple[int, int, str]
) -> None:
    channel_count, rate, subtype = kind
    soundfile.write(caller.path, np.zeros((rate, channel_count)), rate, subtype=subtype)
    sealed = seal(caller, adviser, tmp_path / "sealed.wav", begin_ms=0, end_ms=3000)
    assert sealed.alarms == ("recording_leg_unreadable",)


def test_a_header_with_nothing_behind_it_is_a_silent_leg(caller: Leg, adviser: Leg, tmp_path: Path) -> None:
    raw(caller.path, np.zeros(0))
    sealed = seal(caller, adviser, tmp_path / "sealed.wav", begin_ms=0, end_ms=3000)
    assert (sealed.alarms, sealed.left.covered_ms) == (("recording_silent_leg", "recording_leg_short"), 0)


def test_without_any_leg_there_is_no_recording(caller: Leg, adviser: Leg, tmp_path: Path) -> None:
    caller.path.unlink()
    adviser.path.write_bytes(b"")
    with pytest.raises(NotPossible, match=r"nothing could be read of .*caller\.wav and .*adviser\.wav"):
        seal(caller, adviser, tmp_path / "sealed" / "x.wav", begin_ms=0, end_ms=3000)
    assert not (tmp_path / "sealed").exists()


@pytest.mark.parametrize("end_ms", [1000, 999])
def test_a_conversation_without_length_is_no_recording(caller: Leg, adviser: Leg, tmp_path: Path, end_ms: int) -> None:
    with pytest.raises(NotPossible, match="no length"):
        seal(caller, adviser, tmp_path / "sealed.wav", begin_ms=1000, end_ms=end_ms)


SEAL_AN_HOUR = """
import resource, sys
from pathlib import Path
from recordings import Leg, seal

folder, limit = Path(sys.argv[1]), int(sys.argv[2])
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
legs = [Leg(folder / f"{name}.wav", 0, 180_000) for name in ("caller", "adviser")]
seal(*legs, folder / "sealed" / "hour.wav", begin_ms=0, end_ms=3_600_000)
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""


def test_a_part_of_the_disk_that_cannot_be_read_is_no_track(adviser: Leg, tmp_path: Path) -> None:
    bad_block = Path("/proc/self/mem")  # whoever reads its beginning is told of an error of input
    sealed = seal(Leg(bad_block, 0, packets=150), adviser, tmp_path / "sealed.wav", begin_ms=0, end_ms=3000)
    assert sealed.alarms == ("recording_leg_unreadable",)


def test_a_track_that_the_disk_does_not_give_us_now_is_not_given_up(caller: Leg, tmp_path: Path) -> None:
    loop = tmp_path / "loop.wav"
    loop.symlink_to(loop)
    with pytest.raises(OSError, match="symbolic links"):
        seal(caller, Leg(loop, 0, packets=150), tmp_path / "sealed" / "x.wav", begin_ms=0, end_ms=3000)
    assert not (tmp_path / "sealed").exists()


def test_what_a_kill_left_of_the_sealed_file_is_in_nobodys_way(caller: Leg, adviser: Leg, tmp_path: Path) -> None:
    (tmp_path / "2026").mkdir()
    (tmp_path / "2026" / ".sealed.wav").write_bytes(b"half of it")
    sealed = seal(caller, adviser, tmp_path / "2026" / "sealed.wav", begin_ms=0, end_ms=3000)
    assert [path.name for path in sealed.path.parent.iterdir()] == ["sealed.wav"]
    assert soundfile.info(sealed.path).frames == 3 * RATE


def seal_an_hour(folder: Path, file_limit: int) -> subprocess.CompletedProcess[str]:
    """Seal an hour in a process of its own, whose memory can be measured and whose files can be limited (bytes)."""
    for name in ("caller", "adviser"):
        with (folder / f"{name}.wav").open("wb") as file, wave.open(file, "wb") as track:
            track.setparams((1, 2, RATE, 0, "NONE", ""))
            minute = (tone(440, 60_000) * 32767).astype("<i2").tobytes()
            for _ in range(60):
                track.writeframes(minute)
    command = [sys.executable, "-c", SEAL_AN_HOUR, str(folder), str(file_limit)]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=Path(__file__).parents[2])


def test_an_hour_is_sealed_in_little_memory(tmp_path: Path) -> None:
    done = seal_an_hour(tmp_path, resource.RLIM_INFINITY)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) < 50, "MB"
    assert soundfile.info(tmp_path / "sealed" / "hour.wav").frames == 3600 * RATE


def test_a_full_disk_is_an_os_error_and_leaves_no_file(tmp_path: Path) -> None:
    done = seal_an_hour(tmp_path, 20_000_000)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == "OSError: [Errno 27] File too large"
    assert list((tmp_path / "sealed").iterdir()) == []


def test_a_recording_has_its_place_by_day_and_visit() -> None:
    path = place(Path("recordings"), date(2026, 3, 9), "1773042000.17.2")
    assert path == Path("recordings/2026/03/09/1773042000.17.2.wav")
