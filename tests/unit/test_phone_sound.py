"""Microphones, earpieces, and the clock of what was heard."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile  # type: ignore[import-untyped]  # it ships no types
from hypothesis import given
from hypothesis import strategies as st

from calls.errors import NotPossible
from cti.phone.sound import Timeline, from_file, read_growing, silence, tone, write_microphone
from recordings.listen import dominant_hz, level_dbfs


@pytest.mark.parametrize("rate", [8000, 11025, 16000, 22050, 44100, 48000])
@pytest.mark.parametrize("channels", [1, 2])
def test_any_wav_becomes_telephone_sound(tmp_path: Path, rate: int, channels: int) -> None:
    instants = np.arange(rate) / rate
    wave = np.sin(2 * np.pi * 700 * instants) * 0.3
    soundfile.write(tmp_path / "any.wav", np.stack([wave] * channels, axis=1), rate)
    heard = from_file(tmp_path / "any.wav")
    assert abs(len(heard) - 8000) <= 1
    assert abs(dominant_hz(heard / 32768, 8000) - 700) < 1
    assert abs(level_dbfs(heard / 32768) - level_dbfs(wave)) < 0.5


def test_nothing_above_4_khz_folds_back(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "high.wav", np.sin(2 * np.pi * 6000 * np.arange(48000) / 48000) * 0.5, 48000)
    assert level_dbfs(from_file(tmp_path / "high.wav") / 32768) < -60


@pytest.mark.parametrize("content", [b"", b"not a sound"])
def test_what_is_no_sound_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "bad.wav").write_bytes(content)
    with pytest.raises(NotPossible, match=r"bad\.wav"):
        from_file(tmp_path / "bad.wav")


def test_a_missing_or_empty_file_is_named(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "empty.wav", np.zeros(0), 8000)
    for name in ("empty.wav", "missing.wav"):
        with pytest.raises(NotPossible, match=name):
            from_file(tmp_path / name)


def test_a_microphone_says_it_over_and_over(tmp_path: Path) -> None:
    path = tmp_path / "mic.wav"
    write_microphone(path, tone(440, 0.3), 2)
    samples, rate = soundfile.read(path, dtype="int16")
    assert rate == 8000
    assert 2 * 8000 <= len(samples) < 2.3 * 8000
    assert np.array_equal(samples[:2400], samples[2400:4800])
    with pytest.raises(ValueError, match="at least one sample"):
        write_microphone(path, silence(0), 2)


def test_a_file_that_grows_is_read_to_its_last_whole_sample(tmp_path: Path) -> None:
    path = tmp_path / "heard.wav"
    path.write_bytes(b"h" * 44 + np.arange(10, dtype="<i2").tobytes() + b"\x01")
    assert read_growing(path).tolist() == list(range(10))
    assert read_growing(path, 7).tolist() == [7, 8, 9]
    assert read_growing(path, 10).tolist() == []


def test_a_gap_in_the_packets_becomes_silence() -> None:
    timeline = Timeline()
    timeline.add(tone(1000, 0.5), at_ms=700)  # it began at 200
    timeline.add(tone(1000, 0.5), at_ms=2000)
    heard = timeline.samples()
    assert len(heard) == 2 * 8000
    assert not heard[: 200 * 8].any()
    assert heard[200 * 8 : 700 * 8].any()
    assert not heard[700 * 8 : 1500 * 8].any()


@given(st.lists(st.integers(min_value=1, max_value=60), min_size=1, max_size=40))
def test_packets_that_come_in_bunches_stay_one_sound(delays_ms: list[int]) -> None:
    timeline, now = Timeline(), 0
    for delay in delays_ms:
        now += delay
        timeline.add(tone(1000, delay / 1000), at_ms=now)
    assert abs(len(timeline.samples()) - now * 8) <= len(delays_ms)
