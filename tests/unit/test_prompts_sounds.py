"""What the running hotline plays."""

from __future__ import annotations

import shutil
from datetime import time
from pathlib import Path

import numpy as np
import pytest
import soundfile  # type: ignore[import-untyped]  # it ships no types
from numpy.typing import NDArray

from calls.errors import NotPossible
from calls.words import Language
from prompts import CATALOGUE, Catalogue, Sounds, build
from prompts.audio import SLOWLY
from prompts.manifest import load, save
from prompts.reading import CannotSay
from tests.fakes.voice import Whistle


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("prompts")
    build(Catalogue.load(CATALOGUE), None, target, Whistle())
    return target


def test_a_sentence_with_a_number_is_a_list_of_files_that_are_there(folder: Path) -> None:
    media = Sounds(folder).media("seat.number", "zh-CN", number="8001")
    names = ["digit.8", "digit.0", "digit.0", "digit.1", "seat.number.1"]
    assert media == [f"sound:{folder}/zh-CN/{name}" for name in names]
    assert all(Path(medium.removeprefix("sound:") + ".wav").is_file() for medium in media)


def test_slowly_it_is_the_same_files_drawn_out_also_where_the_usual_ones_are_joined(folder: Path) -> None:
    sounds = Sounds(folder)
    sounds.join([("seat.number", "zh-CN", "8001")])
    usual, slow = sounds, sounds.slowly
    pieces = slow.media("seat.number", "zh-CN", number="8001")
    assert pieces[-1] == f"sound:{folder}/slow/zh-CN/seat.number.1"
    assert len(pieces) == 5
    seconds = sum(soundfile.info(piece.removeprefix("sound:") + ".wav").duration for piece in pieces)
    assert slow.length_ms("seat.number", "zh-CN", number="8001") == pytest.approx(1000 * seconds, abs=len(pieces))
    assert seconds * 1000 == pytest.approx(usual.length_ms("seat.number", "zh-CN", number="8001") / SLOWLY, abs=10)


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_its_length_is_that_of_its_files(folder: Path, language: Language) -> None:
    sounds = Sounds(folder)
    media = sounds.media("closed.day", language, day=22, opens=time(8, 30))
    seconds = sum(soundfile.info(medium.removeprefix("sound:") + ".wav").duration for medium in media)
    length = sounds.length_ms("closed.day", language, day=22, opens=time(8, 30))
    assert length == pytest.approx(1000 * seconds, abs=len(media))


def test_a_sentence_that_a_language_lacks_is_said_in_chinese_with_chinese_numbers(folder: Path, tmp_path: Path) -> None:
    manifest = load(folder)
    assert manifest is not None
    del manifest.sentences["en"]["queue.position"]
    save(tmp_path, manifest)
    media = Sounds(tmp_path).media("queue.position", "en", number=2)
    assert [Path(medium).name for medium in media] == ["queue.position.1", "number.2", "queue.position.2"]
    assert all("/zh-CN/" in medium for medium in media)


def test_what_uyghur_lacks_is_said_in_mandarin_and_the_rest_in_uyghur(folder: Path) -> None:
    sounds = Sounds(folder)
    assert sounds.languages == ("zh-CN", "en", "ug", "yue")
    assert sounds.media("callback.offer", "ug") == [f"sound:{folder}/zh-CN/callback.offer"]
    place = sounds.media("queue.position", "ug", number=22)
    assert [medium.removeprefix(f"sound:{folder}/") for medium in place] == [
        *("ug/queue.position.1", "ug/number.20", "ug/ordinal.2", "ug/queue.position.2")
    ]


def test_joined_a_sentence_is_one_file_that_sounds_the_same(folder: Path) -> None:
    sounds = Sounds(folder)
    pieces = sounds.media("seat.number", "zh-CN", number="8001")
    length_ms = sounds.length_ms("seat.number", "zh-CN", number="8001")
    (folder / "joined").mkdir(exist_ok=True)
    (folder / "joined" / "of-an-older-build.wav").touch()
    wanted: list[tuple[str, Language, int | str]] = [
        ("seat.number", "zh-CN", "8001"),
        ("queue.position", "en", 100_000_000),
    ]
    sounds.join([*wanted, ("welcome", "zh-CN", 1)])
    (whole,) = sounds.media("seat.number", "zh-CN", number="8001")

    assert np.array_equal(sound_of(whole), np.concatenate([sound_of(piece) for piece in pieces]))
    assert sounds.length_ms("seat.number", "zh-CN", number="8001") == length_ms
    assert len(sounds.media("seat.number", "zh-CN", number="8002")) == 5
    sounds.join([("seat.number", "en", "8001")])
    assert len(list((folder / "joined").iterdir())) == 3
    sounds.remove_strays()
    assert len(list((folder / "joined").iterdir())) == 2  # of both, and none of an older build


@pytest.mark.parametrize("damage", [b"", b"RIFF", b"no sound at all, but long enough for a header of 44 bytes"])
def test_a_damaged_piece_spoils_no_other_sentence(folder: Path, tmp_path: Path, damage: bytes) -> None:
    shutil.copytree(folder, tmp_path / "prompts", ignore=shutil.ignore_patterns("joined"))
    (tmp_path / "prompts" / "zh-CN" / "digit.9.wav").write_bytes(damage)
    sounds = Sounds(tmp_path / "prompts")
    with pytest.raises(OSError, match=r"digit\.9"):
        sounds.join([("seat.number", "zh-CN", "8009"), ("seat.number", "zh-CN", "8001")])

    assert len(sounds.media("seat.number", "zh-CN", number="8009")) == 5
    assert len(sounds.media("seat.number", "zh-CN", number="8001")) == 1


def test_a_joined_file_that_was_cut_off_is_made_anew(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder, tmp_path / "prompts", ignore=shutil.ignore_patterns("joined"))
    Sounds(tmp_path / "prompts").join([("seat.number", "zh-CN", "8001")])
    (whole,) = (tmp_path / "prompts" / "joined").iterdir()
    sound = whole.read_bytes()
    whole.write_bytes(b"")
    Sounds(tmp_path / "prompts").join([("seat.number", "zh-CN", "8001")])

    assert whole.read_bytes() == sound


def sound_of(medium: str) -> NDArray[np.int16]:
    samples: NDArray[np.int16]
    samples, rate = soundfile.read(medium.removeprefix("sound:") + ".wav", dtype="int16")
    assert rate == 8000
    return samples


def test_between_two_groups_of_digits_nothing_is_heard_for_a_quarter_of_a_second(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder, tmp_path / "prompts", ignore=shutil.ignore_patterns("joined"))
    manifest = load(folder)
    assert manifest is not None
    manifest.sentences["zh-CN"]["number"] = "{number:grouped}"
    save(tmp_path / "prompts", manifest)
    media = Sounds(tmp_path / "prompts").media("number", "zh-CN", number="13812345678")
    pauses = [medium for medium in media if medium.endswith("/pause")]
    assert len(pauses) == 2
    samples = sound_of(pauses[0])
    assert not samples.any()
    assert len(samples) == 2000


def test_a_key_that_nobody_knows_is_refused(folder: Path) -> None:
    with pytest.raises(CannotSay, match=r"no.such.key: no sound says this\. Mend: "):
        Sounds(folder).media("no.such.key", "en")


def test_a_value_that_cannot_be_read_out_is_refused(folder: Path) -> None:
    with pytest.raises(CannotSay, match="100000000"):
        Sounds(folder).length_ms("queue.position", "zh-CN", number=100_000_000)


def test_a_folder_where_nothing_was_built_is_refused_with_the_mend(tmp_path: Path) -> None:
    with pytest.raises(NotPossible, match="rexian prompts build"):
        Sounds(tmp_path)
