"""The bureau's invented citizens: right in form, nobody alive, the same each time; and which PINs are refused."""

from __future__ import annotations

import re
from datetime import date
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bureau.numbers import card_number, check_character, easily_guessed, id_number
from bureau.people import DEMO, DEMO_PIN, OWN_PER_MILLE, Account, Person, contributions, demo, generate
from bureau.places import AREAS, OFFICES
from bureau.shapes import CardState
from cti.settings import CHECKOUT

TODAY = date(2026, 11, 1)
PEOPLE = list(generate(2000, TODAY))


def test_the_check_character_is_that_of_the_standard() -> None:
    """The examples that GB 11643-1999 itself prints, of a man and of a woman of an area of its own."""
    assert check_character("11010519491231002") == "X"
    assert check_character("44052418800101001") == "4"


@given(st.dates(date(1900, 1, 1), date(2030, 1, 1)), st.integers(0, 999), st.integers(0, 16), st.integers(1, 9))
def test_no_single_wrong_digit_of_an_id_number_goes_unseen(born: date, sequence: int, place: int, by: int) -> None:
    number = id_number("990101", born, sequence)
    wrong = number[:place] + str((int(number[place]) + by) % 10) + number[place + 1 : 17]

    assert check_character(wrong) != number[17]


@given(st.integers(0, 999_999_999))
def test_a_card_number_has_the_check_digit_of_luhn(serial: int) -> None:
    digits = [int(digit) for digit in reversed(card_number(serial))]
    assert len(digits) == 12
    assert sum(digits[::2] + [sum(divmod(2 * digit, 10)) for digit in digits[1::2]]) % 10 == 0


def test_nobody_alive_is_meant_and_no_two_are_the_same() -> None:
    numbers = [one.id_number for one in PEOPLE]
    cards = [one.card.number for one in PEOPLE if one.card]
    telephones = [one.bound_number for one in PEOPLE if one.bound_number]

    assert all(number.startswith("99") and check_character(number[:17]) == number[17] for number in numbers)
    assert all(one.id_number.startswith(one.area) and one.area in AREAS for one in PEOPLE)
    for every in (numbers, cards, telephones):
        assert len(set(every)) == len(every)


def test_the_same_dice_make_the_same_people() -> None:
    assert [*generate(50, TODAY)] == PEOPLE[:50]
    assert [*generate(50, TODAY, seed=7)] != PEOPLE[:50]
    assert [*generate(3, TODAY)] == demo(TODAY)[:3]


def test_nobody_has_a_pin_that_they_could_not_choose() -> None:
    assert not any(easily_guessed(one.pin, one.id_number) for one in PEOPLE)


def test_every_kind_of_citizen_is_there() -> None:
    states = {one.card.state for one in demo(TODAY) if one.card}

    assert states == set(get_args(CardState))
    assert any(one.card is None for one in demo(TODAY))
    assert any(one.pension_fen for one in demo(TODAY))
    assert any(one.id_number.endswith("X") for one in demo(TODAY))  # which the caller keys as a star
    retired = [one for one in PEOPLE if one.pension_fen]
    assert 0.2 < len(retired) / len(PEOPLE) < 0.6
    assert not any(account.paying for one in retired for account in one.accounts)


def test_the_demo_citizens_are_those_of_the_page() -> None:
    page = (CHECKOUT / "docs/business.md").read_text()
    rows = re.findall(
        r"^\| (\S+) \| `(99\w{16})` \| (?:`(\d{12})`|none) \| (\w+|none) \| (?:`(\+\d+)`|none) \|", page, re.M
    )

    assert rows == [_row(one) for one in demo(TODAY)]
    assert len(rows) == len(DEMO)
    assert f"`{DEMO_PIN}`" in page


def _row(one: Person) -> tuple[str, ...]:
    card = (one.card.number, one.card.state) if one.card else ("", "none")
    return (one.name, one.id_number, *card, one.bound_number or "")


@pytest.mark.parametrize("one", PEOPLE[:200], ids=lambda one: one.id_number)
def test_what_was_paid_adds_up(one: Person) -> None:
    for account in one.accounts:
        paid = [row for year in account.years for row in contributions((account,), year)]

        assert len(paid) == account.months
        assert paid[-1].month == account.last_month
        assert paid[-1].paid_fen == account.last_paid_fen
        own = OWN_PER_MILLE.get(account.kind)
        assert account.balance_fen == (sum(row.base_fen * own // 1000 for row in paid) if own else None)
        assert contributions((account,), account.years[0] - 1) == []
        assert contributions((account,), account.years[-1] + 1) == []


def test_contributions_come_by_month_and_then_by_kind() -> None:
    month = date(2026, 2, 1)
    both = (Account("medical", True, 2, 100_000, month), Account("pension", True, 2, 100_000, month))
    paid = contributions(both, 2026)

    assert [(row.month.month, row.kind) for row in paid] == [
        (1, "pension"),
        (1, "medical"),
        (2, "pension"),
        (2, "medical"),
    ]
    assert {row.kind: row.paid_fen for row in paid} == {"pension": 24_000, "medical": 11_500}


def test_every_area_has_offices_whose_telephones_ring_nowhere() -> None:
    assert len(OFFICES) == 12
    assert {office.area for office in OFFICES} == set(AREAS)
    assert len({office.id for office in OFFICES}) == len(OFFICES)
    assert all(re.fullmatch(r"05710\d{7}", office.telephone) for office in OFFICES)


GUESSED = ["000000", "777777", "121212", "123123", "123456", "234567", "987654", "876543", "567890", "098765", "198509"]


@pytest.mark.parametrize("pin", GUESSED)
def test_a_pin_that_a_stranger_tries_first_is_refused(pin: str) -> None:
    assert easily_guessed(pin, "990101198509032310")


@pytest.mark.parametrize("pin", [DEMO_PIN, "135792", "112358", "901234", "700101"])
def test_other_pins_are_taken(pin: str) -> None:
    assert not easily_guessed(pin, "990101198509032310")


@given(st.text("0123456789", min_size=18, max_size=18), st.integers(0, 12))
def test_no_part_of_a_known_number_is_a_pin(number: str, place: int) -> None:
    assert easily_guessed(number[place : place + 6], "", number)
