"""OwnWords that are in no catalogue: rendered ahead, in the catalogue's voice and loudness, found again, refused in words."""

from __future__ import annotations

import os
from pathlib import Path
from threading import Thread

import pytest
import soundfile  # type: ignore[import-untyped]  # it ships no types
from hypothesis import given
from hypothesis import strategies as st

from prompts import CATALOGUE, Catalogue, EspeakVoice, OwnWords, Sounds, audio, build
from prompts.ownwords import unspeakable
from prompts.reading import CannotSay, in_sentences
from prompts.reading import own_words as key_of
from prompts.reading.figures import in_words
from tests.fakes.voice import Whistle

CATALOGUE_HERE = Catalogue.load(CATALOGUE)
WORDS = {key: sentence.text for key, sentence in CATALOGUE_HERE.sentences["zh-CN"].items()}
TITLE = "养老金调整"


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("prompts")
    build(CATALOGUE_HERE, None, target, Whistle())
    return target


def files(folder: Path) -> list[str]:
    usual, slow = (sorted(path.name for path in folder.glob(f"{place}/*")) for place in ("own", "slow/own"))
    assert usual == slow
    return usual


def test_a_text_is_said_in_the_middle_of_a_sentence(built: Path, tmp_path: Path) -> None:
    own_words = OwnWords(built, Whistle())
    sounds = Sounds(built, own_words)
    with pytest.raises(CannotSay, match=r"choose\.one: no sound says this"):
        sounds.media("choose.one", "zh-CN", title=TITLE, key=1)
    assert own_words.render(CATALOGUE_HERE, "zh-CN", TITLE) is None
    said, *rest = sounds.media("choose.one", "zh-CN", title=TITLE, key=1)
    assert [Path(medium).name for medium in rest] == ["choose.one.1", "number.1"]
    spoken = Path(f"{said.removeprefix('sound:')}.wav")
    ms = sounds.length_ms("topic.text", "zh-CN", text=TITLE)
    assert ms == pytest.approx(1000 * soundfile.info(spoken).duration, abs=1)


def test_a_caller_of_another_language_hears_the_sentence_in_it_and_the_text_as_it_was_written(built: Path) -> None:
    own_words = OwnWords(built, Whistle())
    sounds = Sounds(built, own_words)
    own_words.render(CATALOGUE_HERE, "zh-CN", "医保")
    _, written, words, key = sounds.media("choose.one", "en", title="医保", key=1)
    assert "/own/" in written
    assert [Path(medium).parts[-2:] for medium in (words, key)] == [("en", "choose.one.2"), ("en", "digit.1")]


def test_in_each_language_the_same_words_have_a_voice_of_their_own(tmp_path: Path) -> None:
    own_words = OwnWords(tmp_path, Whistle())
    for language in ("zh-CN", "en"):
        own_words.render(CATALOGUE_HERE, language, "APP")
    assert len(files(tmp_path)) == 2


def test_what_was_rendered_is_not_rendered_again_by_the_next_controller_either(tmp_path: Path) -> None:
    first, second = Whistle(), Whistle()
    own_words = OwnWords(tmp_path, first)
    for _ in range(2):
        own_words.render(CATALOGUE_HERE, "zh-CN", TITLE)
    assert first.said == [TITLE]
    again = OwnWords(tmp_path, second)
    assert again.render(CATALOGUE_HERE, "zh-CN", TITLE) is None
    assert second.said == []
    [key] = key_of(TITLE)
    [found, before] = [each.find(key, "zh-CN") for each in (again, own_words)]
    assert found is not None
    assert before is not None
    assert (found[0], found[1].ms) == (before[0], before[1].ms)


def test_a_file_that_was_cut_short_is_rendered_again(tmp_path: Path) -> None:
    OwnWords(tmp_path, Whistle()).render(CATALOGUE_HERE, "zh-CN", TITLE)
    [name] = files(tmp_path)
    whole = (tmp_path / "own" / name).stat().st_size
    os.truncate(tmp_path / "own" / name, whole - 100)
    voice = Whistle()
    OwnWords(tmp_path, voice).render(CATALOGUE_HERE, "zh-CN", TITLE)
    assert voice.said == [TITLE]
    assert (tmp_path / "own" / name).stat().st_size == whole


def test_another_voice_is_another_file_and_only_strays_are_removed(tmp_path: Path) -> None:
    OwnWords(tmp_path, Whistle("1")).render(CATALOGUE_HERE, "zh-CN", TITLE)
    [old] = files(tmp_path)
    own_words = OwnWords(tmp_path, Whistle("2"))
    own_words.render(CATALOGUE_HERE, "zh-CN", TITLE)
    assert len(files(tmp_path)) == 2
    own_words.remove_strays()
    [new] = files(tmp_path)
    assert new != old


def test_many_threads_may_ask_for_the_same_text(tmp_path: Path) -> None:
    voice = Whistle()
    own_words = OwnWords(tmp_path, voice)
    threads = [Thread(target=own_words.render, args=(CATALOGUE_HERE, "zh-CN", TITLE)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert voice.said == [TITLE]


def test_a_voice_that_fails_is_told_with_its_mend_and_leaves_nothing(tmp_path: Path) -> None:
    own_words = OwnWords(tmp_path, Whistle(dumb="养"))
    assert own_words.render(CATALOGUE_HERE, "zh-CN", "养") == ("养 cannot be whistled", "sing")
    assert files(tmp_path) == []


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ("", "no words"),
        ("……！", "no words"),
        ("祝您生活愉快😀", "cannot say '😀' (grinning face)"),
        ("𠮷野家", "cannot say '𠮷'"),
        ("收费 ★ 免费", "cannot say '★' (black star)"),
        ("退\x00休", "cannot say '\\x00' (number 0)"),
    ],
)
def test_what_no_voice_can_say_is_refused_in_words(tmp_path: Path, words: str, reason: str) -> None:
    fault = OwnWords(tmp_path, Whistle()).render(CATALOGUE_HERE, "zh-CN", words)
    assert fault is not None
    assert reason in fault[0]
    assert fault[1]


def test_marks_and_figures_of_full_width_are_no_fault() -> None:
    assert (
        unspeakable("《通知》：（一）比例为８％，“不变”～\n二、10℃以下") is not None
    )  # the degree of Celsius is a symbol
    assert unspeakable("《通知》：（一）比例为８％，“不变”～\n二、APP 10°以下+1") is None


def test_the_voice_is_that_of_the_catalogue_at_its_loudness(tmp_path: Path) -> None:
    own_words = OwnWords(tmp_path, EspeakVoice())
    assert own_words.render(CATALOGUE_HERE, "zh-CN", "领取养老金的人员，每年要做一次领取资格认证。") is None
    [name] = files(tmp_path)
    samples, rate = soundfile.read(tmp_path / "own" / name)
    assert rate == audio.RATE
    assert audio.loudness(samples) == pytest.approx(audio.SPEECH_LKFS, abs=0.2)


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("2026年11月28日上午8:30-12:00", "二零二六年十一月二十八日上午八点半至十二点"),
        ("2026-12-31", "二零二六年十二月三十一日"),
        ("下午1:05", "下午一点零五分"),
        ("13：30～17：00", "十三点半至十七点"),
        ("电话0571-87654321，或者12333", "电话零五七幺，八七六五四三二幺，或者幺二三三三"),
        ("400-810-1234", "四零零，八幺零，幺二三四"),
        ("13800001111", "幺三八零零零零幺幺幺幺"),
        ("涨了3.8%，每月2,150元", "涨了百分之三点八，每月两千一百五十元"),
        ("12000元", "一万二千元"),
        ("人民路1号2楼", "人民路一号二楼"),
        ("第2次，2个月，2月2日", "第二次，两个月，二月二日"),
        ("满15年，5-10人", "满十五年，五至十人"),
        ("123456789元", "幺二三四五六七八九元"),
        ("二零二六年", "二零二六年"),
    ],
)
def test_figures_are_read_as_people_read_them(written: str, said: str) -> None:
    assert in_words(written, WORDS) == said


@given(st.text(alphabet="0123456789-:：.,%％~年月日元第个A ", max_size=24))
def test_no_figure_is_left_to_the_voice(written: str) -> None:
    assert not any(letter.isdecimal() for letter in in_words(written, WORDS))


def test_whoever_asked_for_slow_speech_hears_own_words_slowly_too(built: Path) -> None:
    own_words = OwnWords(built, Whistle())
    own_words.render(CATALOGUE_HERE, "zh-CN", TITLE)
    sounds = Sounds(built, own_words)
    [usual], [slow] = (each.media("topic.text", "zh-CN", text=TITLE) for each in (sounds, sounds.slowly))
    lengths = [soundfile.info(Path(f"{medium.removeprefix('sound:')}.wav")).duration for medium in (usual, slow)]
    told = [each.length_ms("topic.text", "zh-CN", text=TITLE) for each in (sounds, sounds.slowly)]
    assert told == pytest.approx([1000 * length for length in lengths], abs=1)
    assert lengths[1] > 1.2 * lengths[0]


def test_a_text_is_said_sentence_by_sentence_and_only_what_is_new_is_rendered(built: Path) -> None:
    voice = Whistle()
    own_words = OwnWords(built, voice)
    assert own_words.render(CATALOGUE_HERE, "zh-CN", "一月起调整。七月以前发放！不用申请") is None
    assert own_words.render(CATALOGUE_HERE, "zh-CN", "一月起调整。八月以前发放！不用申请") is None
    assert voice.said == ["一月起调整。", "七月以前发放！", "不用申请", "八月以前发放！"]
    sounds = Sounds(built, own_words)
    assert len(sounds.media("topic.text", "zh-CN", text="一月起调整。八月以前发放！不用申请")) == 3


@pytest.mark.parametrize(
    ("words", "sentences"),
    [
        ("好。", ["好。"]),
        ("“好。”是的", ["“好。", "”是的"]),
        ("It costs 3.5 yuan. Come.", ["It costs 3.5 yuan.", "Come."]),
        ("第一\n第二……\n", ["第一", "第二……"]),
        ("长" * 50 + "，" + "短" * 50, ["长" * 50 + "，", "短" * 50]),
        ("1,000元" + "长" * 80, ["1,000元" + "长" * 80]),
    ],
)
def test_sentences_end_where_a_voice_would_pause(words: str, sentences: list[str]) -> None:
    assert in_sentences(words) == sentences
