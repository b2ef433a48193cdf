"""Building: only what changed, recorded voices first, never half a file, and every fault with its mend."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Callable
from datetime import date, time
from pathlib import Path

import numpy as np
import pytest
import soundfile  # type: ignore[import-untyped]  # it ships no types

from calls.errors import NotPossible
from calls.words import FIRST_LANGUAGE
from prompts import audio
from prompts.builder import BuildReport, build, check
from prompts.catalogue import CATALOGUE, SILENCE, TONE, Catalogue, Slot
from prompts.manifest import load
from prompts.ownwords import OwnWords
from prompts.reading import Value
from prompts.sounds import Sounds
from prompts.voice import EspeakVoice
from tests.fakes.voice import Whistle, whistle

OWN_WORDS = "领取养老金的人员，每年要做一次领取资格认证。本热线不会要求您转账。"

VALUES: dict[str, Value] = {
    "digits": "8001",
    "grouped": "13812345678",
    "date": date(2026, 11, 28),
    "month": date(2026, 11, 1),
    "clock": time(13, 30),
    "words": OWN_WORDS,
}
"""What is read out, by kind of slot, where it is not a number."""


@pytest.fixture
def words(tmp_path: Path) -> Callable[[str], Catalogue]:
    """The shipped catalogue with another `goodbye` in Chinese."""

    def change(goodbye: str) -> Catalogue:
        folder = tmp_path / "catalogue"
        shutil.copytree(CATALOGUE, folder, dirs_exist_ok=True)
        path = folder / "zh-CN.yaml"
        lines = path.read_text(encoding="utf-8").splitlines()
        changed = [f'goodbye: "{goodbye}"' if line.startswith("goodbye:") else line for line in lines]
        path.write_text("\n".join(changed), encoding="utf-8")
        return Catalogue.load(folder)

    return change


def files(target: Path) -> set[str]:
    return {str(path.relative_to(target)) for path in target.rglob("*") if path.is_file()}


def test_every_sentence_has_its_sound(spoken: tuple[Path, BuildReport], catalogue: Catalogue) -> None:
    target, report = spoken
    expected = {f"{language}/{key}.wav" for language in catalogue.tongues for key in catalogue.pieces(language)}
    slow = {f"slow/{name}" for name in expected}
    assert files(target) == expected | slow | {"music/waiting.wav", "manifest.json"}
    assert len(report.built) == len(expected) + 1
    assert (report.kept, report.overridden, report.removed, report.problems) == ((), (), (), ())
    assert check(catalogue, None, target, EspeakVoice()) == []


def test_all_voices_are_equally_loud_and_speak(
    spoken: tuple[Path, BuildReport], catalogue: Catalogue, capsys: pytest.CaptureFixture[str]
) -> None:
    """Measured in the files themselves, not taken from the manifest."""
    target, _ = spoken
    levels: dict[str, float] = {}
    for language in catalogue.tongues:
        for key, text in catalogue.pieces(language).items():
            samples, rate = soundfile.read(target / language / f"{key}.wav")
            slow, _ = soundfile.read(target / "slow" / language / f"{key}.wav")
            assert len(slow) == round(len(samples) / audio.SLOWLY)
            if text == SILENCE:
                assert not samples.any()
                assert not slow.any()
                continue
            levels[f"{language}/{key}"] = audio.loudness(samples)
            levels[f"slow/{language}/{key}"] = audio.loudness(slow)
            assert rate == 8000
            assert max(np.abs(samples).max(), np.abs(slow).max()) <= 10 ** (audio.PEAK_DBFS / 20) + 1 / 32768
            if text == TONE:
                continue
            letters = 1 if catalogue.tongues[language].reads == "chinese" else 3
            syllables = sum(letter.isalnum() for letter in text) / letters
            assert 0.1 < len(samples) / rate / syllables < 1.0, f"{language}/{key} lasts {len(samples) / rate} s"
    quietest, loudest = min(levels.values()), max(levels.values())
    with capsys.disabled():
        print(f"\nloudness of {len(levels)} voices: {quietest:.2f} to {loudest:.2f} LKFS")  # noqa: T201  # the figure is the point
    assert loudest - quietest <= 1.0
    assert quietest == pytest.approx(audio.SPEECH_LKFS, abs=0.5)


def test_whole_sentences_are_equally_loud_in_every_language(
    spoken: tuple[Path, BuildReport], catalogue: Catalogue, capsys: pytest.CaptureFixture[str]
) -> None:
    """As callers hear them: all pieces in a row, with a value in each slot."""
    own_words = OwnWords(spoken[0], EspeakVoice())
    assert own_words.render(catalogue, FIRST_LANGUAGE, OWN_WORDS) is None
    sounds = Sounds(spoken[0], own_words)
    levels: dict[str, float] = {}
    for language, sentences in catalogue.sentences.items():
        for key, sentence in sentences.items():
            slots = [part for part in sentence.parts if isinstance(part, Slot)]
            values = {slot.name: VALUES.get(slot.kind, 22) for slot in slots}
            pieces = [soundfile.read(f"{medium[6:]}.wav")[0] for medium in sounds.media(key, language, **values)]
            if sentence.text != SILENCE:
                levels[f"{language}/{key}"] = audio.loudness(np.concatenate(pieces))
    quietest, loudest = min(levels.values()), max(levels.values())
    with capsys.disabled():
        print(f"\nloudness of {len(levels)} sentences: {quietest:.2f} to {loudest:.2f} LKFS")  # noqa: T201  # the figure is the point
    assert len(levels) > 400
    assert loudest - quietest <= 1.0


def test_different_words_sound_different(spoken: tuple[Path, BuildReport], catalogue: Catalogue) -> None:
    target, _ = spoken
    for language in catalogue.tongues:
        pieces = catalogue.pieces(language)
        sounds = {(target / language / f"{key}.wav").read_bytes() for key in pieces}
        assert len(sounds) == len(set(pieces.values()))


def test_the_melody_is_there_softer_than_the_voices(spoken: tuple[Path, BuildReport]) -> None:
    target, _ = spoken
    samples, rate = soundfile.read(target / "music/waiting.wav")
    assert rate == 8000
    assert 30 <= len(samples) / rate <= 60
    assert audio.loudness(samples) == pytest.approx(audio.SPEECH_LKFS - 6, abs=0.5)
    assert abs(samples[0] - samples[-1]) < 0.02, "a seam is heard each time round"


def test_a_second_build_does_nothing(catalogue: Catalogue, tmp_path: Path) -> None:
    first = build(catalogue, None, tmp_path, Whistle())
    voice = Whistle()
    stamps = {name: (tmp_path / name).stat().st_mtime_ns for name in files(tmp_path) - {"manifest.json"}}
    second = build(catalogue, None, tmp_path, voice)
    assert (second.built, second.removed, voice.said) == ((), (), [])
    assert set(second.kept) == set(first.built)
    assert stamps == {name: (tmp_path / name).stat().st_mtime_ns for name in stamps}


def test_only_the_sentence_that_changed_is_spoken_again(words: Callable[[str], Catalogue], tmp_path: Path) -> None:
    target = tmp_path / "prompts"
    build(words("再见。"), None, target, Whistle())
    assert len(check(words("再会。"), None, target, Whistle())) == 1
    report = build(words("再会。"), None, target, voice := Whistle())
    assert report.built == ("zh-CN/goodbye",)
    assert voice.said == ["再会。"]


def test_another_engine_speaks_everything_again_but_the_melody(catalogue: Catalogue, tmp_path: Path) -> None:
    first = build(catalogue, None, tmp_path, Whistle())
    second = build(catalogue, None, tmp_path, Whistle(version="2"))
    assert len(second.built) == len(first.built) - 1
    assert second.kept == ("music/waiting",)


@pytest.mark.parametrize("folder", [".", "slow"])
@pytest.mark.parametrize("damage", [Path.unlink, lambda path: path.write_bytes(b"RIFF")])
def test_a_lost_or_damaged_file_is_made_again(
    catalogue: Catalogue, tmp_path: Path, damage: Callable[[Path], object], folder: str
) -> None:
    build(catalogue, None, tmp_path, Whistle())
    damage(tmp_path / folder / "zh-CN" / "welcome.wav")
    (problem,) = check(catalogue, None, tmp_path, Whistle())
    assert "zh-CN/welcome" in str(problem)
    assert build(catalogue, None, tmp_path, Whistle()).built == ("zh-CN/welcome",)


def test_a_sentence_that_is_gone_takes_its_sound_along(words: Callable[[str], Catalogue], tmp_path: Path) -> None:
    target = tmp_path / "prompts"
    build(words('再见。"\nfarewell: "珍重。'), None, target, Whistle())
    (target / "zh-CN" / "mine.wav").write_bytes(b"not ours")
    report = build(words("再见。"), None, target, Whistle())
    assert report.removed == ("zh-CN/farewell",)
    assert not (target / "zh-CN" / "farewell.wav").exists()
    assert not (target / "slow" / "zh-CN" / "farewell.wav").exists()
    assert (target / "zh-CN" / "mine.wav").exists()


def test_a_recorded_voice_replaces_its_key_and_only_that(catalogue: Catalogue, tmp_path: Path) -> None:
    target, voices = tmp_path / "prompts", tmp_path / "voices"
    build(catalogue, voices, target, Whistle())
    whistle(voices / "zh-CN" / "seat.number.1.wav", hz=1234, rate=44100)
    report = build(catalogue, voices, target, Whistle())
    assert report.built == report.overridden == ("zh-CN/seat.number.1",)
    samples, _ = soundfile.read(target / "zh-CN" / "seat.number.1.wav")
    assert np.abs(np.fft.rfft(samples)).argmax() * 8000 / len(samples) == pytest.approx(1234, abs=5)
    assert audio.loudness(samples) == pytest.approx(audio.SPEECH_LKFS, abs=0.5)
    again = build(catalogue, voices, target, Whistle())
    assert (again.built, again.overridden) == ((), report.overridden)
    (voices / "zh-CN" / "seat.number.1.wav").unlink()
    assert build(catalogue, voices, target, Whistle()).built == ("zh-CN/seat.number.1",)


def test_an_unreadable_recording_is_named_and_the_engine_speaks_instead(catalogue: Catalogue, tmp_path: Path) -> None:
    target, voices = tmp_path / "prompts", tmp_path / "voices"
    (voices / "en").mkdir(parents=True)
    (voices / "en" / "welcome.wav").write_bytes(b"mp3, renamed")
    report = build(catalogue, voices, target, Whistle())
    (problem,) = report.problems
    assert "voices/en/welcome.wav" in str(problem)
    assert "Mend: record it again" in str(problem)
    assert "en/welcome" in report.built
    assert report.overridden == ()
    assert len(check(catalogue, voices, target, Whistle())) == 1


def test_a_recording_with_a_name_that_no_sentence_has_is_named(catalogue: Catalogue, tmp_path: Path) -> None:
    whistle(tmp_path / "voices" / "en" / "wellcome.wav", hz=500)
    (problem,) = build(catalogue, tmp_path / "voices", tmp_path / "prompts", Whistle()).problems
    assert "Mend: name it welcome.wav" in str(problem)


def test_a_piece_that_cannot_be_spoken_costs_only_itself(catalogue: Catalogue, tmp_path: Path) -> None:
    report = build(
        catalogue,
        None,
        tmp_path,
        Whistle(dumb="Hello. This is one two three three three, the human resources and social security hotline."),
    )
    (problem,) = report.problems
    assert "Mend: sing" in str(problem)
    assert "en/welcome" not in report.built
    assert "zh-CN/welcome" in report.built
    assert Sounds(tmp_path).media("welcome", "en") == [f"sound:{tmp_path}/zh-CN/welcome"]


def test_a_missing_engine_is_said_with_its_mend(
    catalogue: Catalogue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NotPossible, match="apt-get install espeak-ng"):
        build(catalogue, None, tmp_path, EspeakVoice())
    (tmp_path / "espeak-ng").touch()  # there, and not a program
    with pytest.raises(NotPossible, match="apt-get install espeak-ng"):
        build(catalogue, None, tmp_path, EspeakVoice())


def test_a_voice_that_the_engine_does_not_have_is_told_once_and_costs_only_its_language(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(CATALOGUE, tmp_path / "catalogue"))
    path = folder / "en.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("espeak: en", "espeak: elvish"), encoding="utf-8")
    report = build(Catalogue.load(folder), None, tmp_path / "prompts", EspeakVoice())
    (problem,) = report.problems
    assert str(problem).endswith("Mend: write one of `espeak-ng --voices` in the language's file, not elvish.")
    assert "zh-CN/welcome" in report.built
    assert Sounds(tmp_path / "prompts").media("welcome", "en")[0].endswith("/zh-CN/welcome")


def test_an_engine_that_fails_says_why(catalogue: Catalogue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = tmp_path / "espeak-ng"
    broken.write_text("#!/bin/sh\necho no voices here >&2; exit 1\n")
    broken.chmod(stat.S_IRWXU)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    with pytest.raises(NotPossible, match="no voices here"):
        check(catalogue, None, tmp_path, EspeakVoice())


def test_a_target_that_cannot_be_written_is_said_with_its_mend(catalogue: Catalogue, tmp_path: Path) -> None:
    (tmp_path / "prompts").write_text("a file where the folder should be")
    with pytest.raises(NotPossible, match=r"cannot be written: .+ Mend: "):
        build(catalogue, None, tmp_path / "prompts", Whistle())


def test_a_manifest_of_another_version_is_built_over(catalogue: Catalogue, tmp_path: Path) -> None:
    build(catalogue, None, tmp_path, Whistle())
    (tmp_path / "manifest.json").write_text('{"pieces": 1}')
    assert load(tmp_path) is None
    assert build(catalogue, None, tmp_path, Whistle()).kept == ()


def test_a_recording_that_may_not_be_read_is_named(catalogue: Catalogue, tmp_path: Path) -> None:
    (tmp_path / "voices" / "en" / "welcome.wav").mkdir(parents=True)
    (problem,) = build(catalogue, tmp_path / "voices", tmp_path / "prompts", Whistle()).problems
    assert "welcome.wav:1:1: Is a directory. Mend: " in str(problem)
