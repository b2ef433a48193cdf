"""The calling number: whatever a trunk makes of it, one form or none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calls.numbers import WITHHELD_WORDS, CallingNumber, dialled, normalise

MOBILE = ["13800001111", "013800001111", "+8613800001111", "008613800001111", "138 0000 1111", " +86 138-0000-1111 "]
LANDLINE = ["057188881234", "+8657188881234", "0571-88881234", "(0571) 88881234", "0086 571 88881234"]


@pytest.mark.parametrize("raw", MOBILE)
def test_a_mobile_number_is_one_number_however_it_comes(raw: str) -> None:
    assert normalise(raw).e164 == "+8613800001111"


@pytest.mark.parametrize("raw", LANDLINE)
def test_a_landline_keeps_its_area_code(raw: str) -> None:
    assert normalise(raw).e164 == "+8657188881234"


def test_numbers_from_abroad_and_other_regions() -> None:
    assert normalise("+442071838750").e164 == "+442071838750"
    assert normalise("020 7183 8750", "GB").e164 == "+442071838750"
    assert normalise("013800001111", "GB").e164 != "+8613800001111"


@pytest.mark.parametrize("word", [*sorted(WITHHELD_WORDS), "Anonymous", "  UNKNOWN "])
def test_a_withheld_number_is_no_number(word: str) -> None:
    assert normalise(word) == CallingNumber(None, "")
    assert normalise(word).withheld


@pytest.mark.parametrize("raw", ["seat1001", "110", "1", "+", "abc" * 20, "1" * 31, "sip:a@b", "\x00", "１"])
def test_what_is_no_number_stays_as_it_came_and_is_not_withheld(raw: str) -> None:
    number = normalise(raw)

    assert number == CallingNumber(None, raw.strip()[:32])
    assert not number.withheld


@given(st.text(max_size=50), st.sampled_from(["CN", "GB", "US"]))
def test_anything_at_all_is_taken_and_what_comes_out_comes_out_again(raw: str, region: str) -> None:
    number = normalise(raw, region)

    assert len(number.raw) <= 32
    if number.e164 is not None:
        assert normalise(number.e164, region).e164 == number.e164


@given(st.integers(13_000_000_000, 19_999_999_999))
def test_the_zero_before_a_mobile_number_changes_nothing(mobile: int) -> None:
    assert normalise(f"0{mobile}").e164 == normalise(str(mobile)).e164 == f"+86{mobile}"


@pytest.mark.parametrize(
    ("e164", "national"),
    [("+8613800001111", "13800001111"), ("+8657188881234", "057188881234")],
    ids=["mobile", "landline"],
)
def test_a_number_is_rung_as_people_dial_it(e164: str, national: str) -> None:
    assert dialled(e164) == national


@pytest.mark.parametrize("e164", ["+442071838750", "+12025550123", "+8688881234", "+86110"])
def test_what_is_no_number_of_the_region_is_never_rung(e164: str) -> None:
    assert dialled(e164) is None
