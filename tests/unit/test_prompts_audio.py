"""One rate, one loudness, nothing but the voice."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import soundfile  # type: ignore[import-untyped]  # it ships no types
from hypothesis import given
from hypothesis import strategies as st

from calls.errors import BadFile
from prompts import audio
from prompts.audio import PEAK_DBFS, RATE, SPEECH_LKFS, Samples


def tone(hz: float, seconds: float, amplitude: float = 0.5, rate: int = RATE) -> Samples:
    return amplitude * np.sin(2 * np.pi * hz * np.arange(round(seconds * rate)) / rate)


def silence(seconds: float, rate: int = RATE) -> Samples:
    return np.zeros(round(seconds * rate))


def strongest_hz(samples: Samples) -> float:
    return float(np.abs(np.fft.rfft(samples)).argmax() * RATE / len(samples))


def k_weighted_by_the_book(samples: Samples) -> Samples:
    """ITU-R BS.1770-5, annex 1: the two filters of tables 1 and 2, run sample by sample at the 48 kHz they are given for."""
    for above, below in (
        ((1.53512485958697, -2.69169618940638, 1.19839281085285), (-1.69065929318241, 0.73248077421585)),
        ((1.0, -2.0, 1.0), (-1.99004745483398, 0.99007225036621)),
    ):
        filtered: list[float] = [0.0, 0.0]
        before = [0.0, 0.0, *samples]
        for now in range(2, len(before)):
            fresh = sum(above[ago] * before[now - ago] for ago in range(3))
            filtered.append(fresh - below[0] * filtered[-1] - below[1] * filtered[-2])
        samples = np.array(filtered[2:])
    return samples


def test_the_measure_on_sounds_whose_level_is_known() -> None:
    assert audio.loudness(tone(997, 1, amplitude=1.0)) == pytest.approx(-3.01, abs=0.01), "by definition"
    assert audio.loudness(tone(997, 1, amplitude=0.1)) == pytest.approx(-23.01, abs=0.01)
    assert audio.loudness(np.ones(RATE) * 0.1) < -30, "of a direct current only its beginning is heard"
    assert audio.loudness(silence(1)) == -math.inf
    assert audio.loudness(np.zeros(0)) == -math.inf


@pytest.mark.parametrize("hz", [100, 300, 1000, 2000, 3300])
def test_the_measure_is_the_recommendations_at_any_pitch(hz: float) -> None:
    settled = k_weighted_by_the_book(tone(hz, 0.4, rate=48000))[9600:]
    assert audio.loudness(tone(hz, 1)) == pytest.approx(10 * np.log10(np.mean(settled**2)) - 0.691, abs=0.05)


def test_pauses_do_not_make_a_sentence_quieter() -> None:
    word = audio._soften(tone(300, 0.4))
    slow = np.concatenate([word, silence(2), word, silence(3)])
    assert audio.loudness(slow) == pytest.approx(audio.loudness(word), abs=0.01)
    breath = tone(300, 2, amplitude=0.01)
    assert audio.loudness(np.concatenate([word, breath])) == pytest.approx(audio.loudness(word), abs=0.01)


@given(
    amplitude=st.floats(0.001, 1.0),
    crest=st.floats(0.0, 1.0),
    seed=st.integers(0, 2**32 - 1),
)
def test_any_voice_comes_out_at_one_loudness_and_below_the_peak(amplitude: float, crest: float, seed: int) -> None:
    random = np.random.default_rng(seed)
    voice = tone(200, 0.6) * (1 - crest) + crest * random.standard_normal(round(0.6 * RATE)) ** 3 / 10
    levelled = audio.level(amplitude * voice / np.abs(voice).max() + 1e-2 * tone(200, 0.6), SPEECH_LKFS)
    assert audio.loudness(levelled) == pytest.approx(SPEECH_LKFS, abs=0.5)
    assert np.abs(levelled).max() <= 10 ** (PEAK_DBFS / 20) + 1e-9


@pytest.mark.parametrize("rate", [8000, 11025, 16000, 22050, 44100, 48000])
def test_a_tone_keeps_its_pitch_length_and_level_at_any_rate(rate: int) -> None:
    heard = audio.resample(tone(1000, 1, rate=rate), rate)
    middle = heard[RATE // 2 : RATE]
    assert strongest_hz(middle) == pytest.approx(1000, abs=2)
    assert float(np.sqrt(np.mean(middle**2))) == pytest.approx(0.5 / math.sqrt(2), rel=0.01)
    assert len(audio.trim(heard, "号")) == pytest.approx(RATE * 1.06, abs=0.03 * RATE)


def test_what_a_telephone_cannot_carry_does_not_fold_back() -> None:
    heard = audio.resample(tone(5000, 1, rate=22050), 22050)
    assert float(np.abs(heard[RATE // 4 : RATE]).max()) < 0.001


@pytest.mark.parametrize("pace", [0.5, 0.75, 1.0])
@pytest.mark.parametrize("hz", [120, 440, 1000, 3000])
def test_slow_speech_is_longer_at_the_same_pitch_and_level_without_a_click(hz: float, pace: float) -> None:
    usual = tone(hz, 1)
    slow = audio.slowly(usual, pace)
    assert len(slow) == round(len(usual) / pace)
    assert strongest_hz(slow) == pytest.approx(hz, abs=2)
    assert audio.loudness(slow) == pytest.approx(audio.loudness(usual), abs=0.25)
    assert np.abs(slow).max() <= np.abs(usual).max() * 1.01
    assert np.abs(np.diff(slow)).max() <= np.abs(np.diff(usual)).max() * 1.05


@pytest.mark.parametrize("length", [0, 1, 100, 2000])
def test_what_is_short_or_silent_can_be_slowed_too(length: int) -> None:
    assert not audio.slowly(np.zeros(length)).any()
    assert len(audio.slowly(np.zeros(length))) == round(length / audio.SLOWLY)


@given(before=st.floats(0, 1), after=st.floats(0, 1), length=st.floats(0.1, 1))
def test_silence_is_cut_and_the_voice_is_whole(before: float, after: float, length: float) -> None:
    sound = np.concatenate([silence(before), tone(500, length), silence(after)])
    trimmed = audio.trim(sound, "号")
    pads = audio._HEAD_MS + audio._JOIN_MS
    assert len(trimmed) / RATE == pytest.approx(length + pads / 1000, abs=0.021)
    assert np.sum(trimmed**2) == pytest.approx(np.sum(sound**2), rel=0.08)


@pytest.mark.parametrize(
    ("text", "pause_ms"), [("位，请稍候。", 300), ("Service hours are,", 150), ("您现在排在第", 40)]
)
def test_the_last_mark_gives_the_pause(text: str, pause_ms: int) -> None:
    trimmed = audio.trim(tone(500, 0.5), text)
    assert len(trimmed) == round(0.5 * RATE) + (20 + pause_ms) * RATE // 1000
    assert not trimmed[-pause_ms * RATE // 1000 :].any()


@pytest.mark.parametrize("rate", [8000, 16000, 44100])
@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24", "FLOAT", "ALAW"])
def test_any_wav_a_person_may_bring_can_be_read(tmp_path: Path, rate: int, channels: int, subtype: str) -> None:
    path = tmp_path / "welcome.wav"
    soundfile.write(path, np.stack([tone(700, 0.5, 0.02, rate)] * channels, axis=1), rate, subtype=subtype)
    assert strongest_hz(audio.trim(audio.read(path), "")) == pytest.approx(700, abs=4)


@pytest.mark.parametrize(
    ("content", "reason"),
    [(b"", "not a sound file"), (b"not a wav at all", "not a sound file"), (None, "no sound")],
)
def test_a_recording_that_cannot_be_used_is_refused_with_the_mend(
    tmp_path: Path, content: bytes | None, reason: str
) -> None:
    path = tmp_path / "welcome.wav"
    if content is None:
        soundfile.write(path, silence(1), RATE)
    else:
        path.write_bytes(content)
    with pytest.raises(BadFile, match=f"welcome.wav:1:1: .*{reason}.* Mend: record it again"):
        audio.read(path)


def test_what_is_written_is_what_a_telephone_plays(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    audio.write(path, tone(440, 0.25))
    found = soundfile.info(path)
    assert (found.samplerate, found.channels, found.subtype, found.frames) == (RATE, 1, "PCM_16", RATE // 4)
