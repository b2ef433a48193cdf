"""Numbers and times of day as they are spoken."""

from __future__ import annotations

from datetime import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calls.words import LANGUAGES, Language
from prompts.catalogue import CATALOGUE, Catalogue
from prompts.reading import LARGEST, READINGS, CannotSay, Value, keys_needed

WORDS = {language: Catalogue.load(CATALOGUE).pieces(language) for language in LANGUAGES}
NUMBERS = st.integers(0, LARGEST)


def said(value: Value, kind: str, language: Language) -> str:
    """What a caller hears, written out."""
    space = "" if language == "zh-CN" else " "
    return space.join(WORDS[language][key] for key in READINGS[language][kind](value))


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (0, "零"),
        (2, "两"),
        (10, "十"),
        (12, "十二"),
        (20, "二十"),
        (22, "二十二"),
        (100, "一百"),
        (105, "一百零五"),
        (110, "一百一十"),
        (111, "一百一十一"),
        (200, "两百"),
        (202, "两百零二"),
        (222, "两百二十二"),
        (1000, "一千"),
        (1001, "一千零一"),
        (1010, "一千零一十"),
        (1100, "一千一百"),
        (2002, "两千零二"),
        (2200, "两千二百"),
        (2020, "两千零二十"),
        (9999, "九千九百九十九"),
    ],
)
def test_chinese_quantities(number: int, words: str) -> None:
    assert said(number, "cardinal", "zh-CN") == words


@pytest.mark.parametrize(
    ("number", "words"), [(1, "一"), (2, "二"), (12, "十二"), (200, "二百"), (2000, "两千"), (2222, "两千二百二十二")]
)
def test_chinese_places_in_a_queue(number: int, words: str) -> None:
    assert said(number, "ordinal", "zh-CN") == words


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (0, "zero"),
        (14, "fourteen"),
        (20, "twenty"),
        (21, "twenty one"),
        (100, "one hundred"),
        (105, "one hundred and five"),
        (2000, "two thousand"),
        (2013, "two thousand and thirteen"),
        (9999, "nine thousand nine hundred and ninety nine"),
    ],
)
def test_english_quantities(number: int, words: str) -> None:
    assert said(number, "cardinal", "en") == words


@pytest.mark.parametrize(
    ("moment", "chinese", "english"),
    [
        (time(0, 0), "凌晨零点", "twelve a m"),
        (time(5, 59), "凌晨五点五十九分", "five fifty nine a m"),
        (time(8, 30), "上午八点半", "eight thirty a m"),
        (time(12, 0), "中午十二点", "twelve p m"),
        (time(13, 30), "下午一点半", "one thirty p m"),
        (time(14, 0), "下午两点", "two p m"),
        (time(17, 5), "下午五点零五分", "five oh five p m"),
        (time(17, 10), "下午五点十分", "five ten p m"),
        (time(23, 59), "晚上十一点五十九分", "eleven fifty nine p m"),
    ],
)
def test_times_of_day(moment: time, chinese: str, english: str) -> None:
    assert said(moment, "clock", "zh-CN") == chinese
    assert said(moment, "clock", "en") == english


def test_adviser_numbers_are_read_digit_by_digit_and_one_is_yao() -> None:
    assert said("8001", "digits", "zh-CN") == "八零零幺"
    assert said("0017", "digits", "en") == "zero zero one seven"


def meaning(words: str) -> int:
    """The number that Chinese words name, the way a listener adds them up; independent of how they were made."""
    total, digit = 0, 0
    for word in words:
        if word in "十百千":
            total += (digit or 1) * {"十": 10, "百": 100, "千": 1000}[word]
            digit = 0
        else:
            digit = "零一二三四五六七八九".find(word) if word != "两" else 2
    return total + digit


@given(NUMBERS)
def test_a_chinese_number_means_itself(number: int) -> None:
    for kind in ("cardinal", "ordinal"):
        words = said(number, kind, "zh-CN")
        assert meaning(words) == number
        assert "零零" not in words
        assert number == 0 or not words.endswith("零")


@given(st.integers(0, LARGEST), st.integers(0, LARGEST))
def test_different_english_numbers_sound_different(one: int, other: int) -> None:
    assert (said(one, "cardinal", "en") == said(other, "cardinal", "en")) == (one == other)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_key_that_a_number_or_a_time_may_ask_for_is_known_beforehand(language: Language) -> None:
    needed = keys_needed(language)
    asked = {
        key
        for kind in READINGS[language].keys() - {"clock"}
        for n in range(LARGEST + 1)
        for key in READINGS[language][kind](n)
    }
    asked |= {key for minute in range(1440) for key in READINGS[language]["clock"](time(minute // 60, minute % 60))}
    assert asked == needed


@pytest.mark.parametrize("kind", ["digits", "cardinal", "ordinal", "clock"])
@pytest.mark.parametrize("value", [-1, "", "12a", "１２", "八"])
def test_what_cannot_be_read_out_is_refused(kind: str, value: Value) -> None:
    with pytest.raises(CannotSay, match="Mend"):
        READINGS["zh-CN"][kind](value)


def test_a_number_too_large_is_refused() -> None:
    with pytest.raises(CannotSay, match="9999"):
        READINGS["en"]["cardinal"](LARGEST + 1)
