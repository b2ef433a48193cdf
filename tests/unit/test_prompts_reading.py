"""The laws of what is read out; what it sounds like, value by value, stands in `test_prompts_spoken.py`."""

from __future__ import annotations

from datetime import date, time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calls.words import Language
from prompts.catalogue import CATALOGUE, Catalogue, Sentence
from prompts.reading import LARGEST, LARGEST_FEN, PAUSE, READINGS, CannotSay, Value, as_written, keys_needed
from prompts.reading.written import WRITTEN

SPOKEN = Catalogue.load(CATALOGUE)
LANGUAGES = list(SPOKEN.tongues)
WORDS = {language: SPOKEN.pieces(language) for language in LANGUAGES}
RULES = {language: READINGS[tongue.reads] for language, tongue in SPOKEN.tongues.items()}
NUMBERS = st.integers(0, LARGEST)
AMOUNTS = st.integers(0, LARGEST_FEN)


def said(value: Value, kind: str, language: Language) -> str:
    """What a caller hears, written out."""
    space = "" if language == "zh-CN" else " "
    return space.join(WORDS[language][key] for key in RULES[language][kind](value))


def meaning(words: str) -> int:
    """The number that Chinese words name, the way a listener adds them up; independent of how they were made."""
    total, section, digit = 0, 0, 0
    for word in words:
        if word == "万":
            total, section, digit = (section + digit) * 10_000, 0, 0
        elif word in "十百千":
            section += (digit or 1) * {"十": 10, "百": 100, "千": 1000}[word]
            digit = 0
        else:
            digit = "零一二三四五六七八九".find(word) if word != "两" else 2
    return total + section + digit


@given(NUMBERS)
def test_a_chinese_number_means_itself(number: int) -> None:
    for kind in ("cardinal", "ordinal"):
        words = said(number, kind, "zh-CN")
        assert meaning(words) == number
        assert "零零" not in words
        assert number == 0 or not words.endswith("零")


@given(AMOUNTS)
def test_a_chinese_amount_means_itself(fen: int) -> None:
    words = said(fen, "amount", "zh-CN")
    *yuan, rest = words.rpartition("元")[::2] if "元" in words else ("", words)
    *jiao, rest = rest.rpartition("角")[::2] if "角" in rest else ("", rest)
    parts = (yuan[0], jiao[0], rest.removesuffix("分"))
    assert sum(meaning(part) * worth for part, worth in zip(parts, (100, 10, 1), strict=True)) == fen
    assert "零角" not in words
    assert "零分" not in words


@pytest.mark.parametrize(
    ("months", "words"), [(2, "两个月"), (12, "十二个月"), (22, "二十二个月"), (102, "一百零二个月"), (200, "两百个月")]
)
def test_a_measure_word_follows_a_quantity(months: int, words: str) -> None:
    """No kind of its own: the measure word stands in the sentence, and a quantity has the right two before it."""
    assert said(months, "cardinal", "zh-CN") + "个月" == words
    sentence = Sentence("paid", "缴费{months:cardinal}个月。", "chinese")
    assert sentence.render({"months": months})[-1] == "paid.2"


@given(st.text("0123456789", min_size=1, max_size=24))
def test_groups_have_all_the_digits_and_none_stands_alone(number: str) -> None:
    groups = "".join(
        key.removeprefix("digit.") if key != PAUSE else " " for key in READINGS["chinese"]["grouped"](number)
    )
    assert groups.replace(" ", "") == number
    assert len(number) == 1 or all(len(group) > 1 for group in groups.split(" "))


@given(NUMBERS, NUMBERS)
def test_different_english_numbers_sound_different(one: int, other: int) -> None:
    assert (said(one, "cardinal", "en") == said(other, "cardinal", "en")) == (one == other)


VALUES: dict[str, st.SearchStrategy[Value]] = {
    "digits": st.text("0123456789", min_size=1),
    "grouped": st.from_regex(r"[0-9]{17}[0-9Xx]|[0-9]{1,24}", fullmatch=True),
    "cardinal": NUMBERS,
    "ordinal": st.integers(1, LARGEST),
    "amount": AMOUNTS,
    "date": st.dates(min_value=date(1000, 1, 1)),
    "month": st.dates(min_value=date(1000, 1, 1)),
    "clock": st.times(),
}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", VALUES)
@given(data=st.data())
def test_every_key_that_may_be_asked_for_is_known_beforehand(
    kind: str, language: Language, data: st.DataObject
) -> None:
    assert (
        set(RULES[language][kind](data.draw(VALUES[kind])))
        <= keys_needed(SPOKEN.tongues[language].reads)
        <= WORDS[language].keys()
    )


@pytest.mark.parametrize("kind", VALUES)
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("value", [-1, "", "12a", "１２", "八", "12.50"])
def test_what_cannot_be_read_out_is_refused(value: Value, language: Language, kind: str) -> None:
    with pytest.raises(CannotSay, match="Mend"):
        RULES[language][kind](value)


@pytest.mark.parametrize(
    ("kind", "value", "mend"),
    [
        ("cardinal", LARGEST + 1, "99999999"),
        ("ordinal", 0, "from 1"),
        ("amount", LARGEST_FEN + 1, "999999999"),
        ("amount", "1250", "whole fen"),
        ("grouped", "1234X", "end in X"),
        ("grouped", "3301061949100100X7", "end in X"),
        ("date", date(999, 12, 31), "1000"),
        ("date", time(8), "date"),
        ("clock", date(2026, 1, 1), "time"),
    ],
)
def test_the_mend_says_what_to_give(kind: str, value: Value, mend: str) -> None:
    with pytest.raises(CannotSay, match=mend):
        READINGS["english"][kind](value)


def test_every_kind_that_can_be_read_out_can_be_written() -> None:
    assert set(WRITTEN) == {kind for kinds in READINGS.values() for kind in kinds}


@pytest.mark.parametrize(
    ("kind", "value", "written"),
    [
        ("digits", "0088", "0088"),
        ("grouped", "20261128001", "20261128001"),
        ("cardinal", 182, "182"),
        ("ordinal", 3, "3"),
        ("amount", 4_321_005, "¥43210.05"),
        ("amount", 0, "¥0.00"),
        ("date", date(2026, 11, 5), "2026-11-05"),
        ("month", date(2026, 1, 1), "2026-01"),
        ("clock", time(8, 30), "08:30"),
    ],
)
def test_what_is_written_is_figures_that_every_language_reads_alike(kind: str, value: Value, written: str) -> None:
    assert as_written(kind, value) == written


@pytest.mark.parametrize(
    ("kind", "value"), [("digits", "12a"), ("grouped", "1-2"), ("cardinal", -1), ("amount", "3.50"), ("date", "today")]
)
def test_what_cannot_be_read_out_is_not_written_either(kind: str, value: Value) -> None:
    with pytest.raises(CannotSay):
        as_written(kind, value)


def test_a_sentence_is_written_with_its_values_in_every_language() -> None:
    for language in ("zh-CN", "en", "yue"):
        text = SPOKEN.sentences[language]["loss.done"].written({"reference": "20261128001"})
        assert "20261128001" in text
        assert "{" not in text
    with pytest.raises(CannotSay, match="needs a value"):
        SPOKEN.sentences["zh-CN"]["loss.done"].written({})
