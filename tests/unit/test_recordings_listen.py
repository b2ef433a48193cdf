"""Level, tone and speech in samples whose content is known."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import soundfile  # type: ignore[import-untyped]  # it ships no types
from hypothesis import given
from hypothesis import strategies as st

from recordings.listen import Samples, channels, dominant_hz, level_dbfs, segments

RATE = 8000


def tone(hz: float, seconds: float, amplitude: float = 0.5) -> Samples:
    return amplitude * np.sin(2 * np.pi * hz * np.arange(round(seconds * RATE)) / RATE)


def silence(seconds: float) -> Samples:
    return np.zeros(round(seconds * RATE))


def test_levels() -> None:
    assert level_dbfs(tone(1000, 1, amplitude=1)) == pytest.approx(-3.01, abs=0.01)
    assert level_dbfs(np.full(10, 0.1)) == pytest.approx(-20)
    assert level_dbfs(silence(1)) == level_dbfs(silence(0)) == -math.inf


@given(hz=st.floats(100, 3600), seconds=st.floats(0.2, 2), noise=st.floats(0, 0.1))
def test_a_tone_is_found_through_noise(hz: float, seconds: float, noise: float) -> None:
    samples = tone(hz, seconds) + noise * np.random.default_rng(1).standard_normal(round(seconds * RATE))
    assert dominant_hz(samples, RATE) == pytest.approx(hz, abs=2)


def test_there_is_no_tone_in_silence() -> None:
    assert dominant_hz(silence(1), RATE) == 0
    assert dominant_hz(silence(0), RATE) == 0


def test_the_louder_of_two_tones_is_dominant() -> None:
    assert dominant_hz(tone(440, 1, 0.2) + tone(1000, 1, 0.1), RATE) == pytest.approx(440, abs=0.5)


@given(first=st.integers(0, 150), speech=st.integers(10, 200), gap=st.integers(35, 200), after=st.integers(0, 100))
def test_speech_is_found_where_it_was_put(first: int, speech: int, gap: int, after: int) -> None:
    """All in hundredths of a second."""
    word = tone(500, speech / 100)
    samples = np.concatenate([silence(first / 100), word, silence(gap / 100), word, silence(after / 100)])
    start, middle = 10 * first, 10 * (first + speech + gap)
    assert segments(samples, RATE) == [(start, start + 10 * speech), (middle, middle + 10 * speech)]


def test_short_gaps_are_joined_and_clicks_are_left_out() -> None:
    samples = np.concatenate([tone(500, 0.02), silence(1), tone(500, 0.2), silence(0.1), tone(500, 0.2), silence(1)])
    assert segments(samples, RATE) == [(1020, 1520)]


def test_line_noise_is_not_speech() -> None:
    assert segments(0.001 * np.random.default_rng(1).standard_normal(RATE), RATE) == []
    assert segments(silence(0), RATE) == []


def test_the_channels_of_a_file_come_left_first(tmp_path: Path) -> None:
    path = tmp_path / "both.wav"
    soundfile.write(path, np.stack([tone(440, 1), tone(1000, 1)], axis=1), RATE)
    (left, right), rate = channels(path)
    assert rate == RATE
    assert [dominant_hz(left, rate), dominant_hz(right, rate)] == pytest.approx([440, 1000], abs=0.5)
