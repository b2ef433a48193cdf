"""Numbers that name people: how they are made, and which PIN is no secret.

An ID number (GB 11643) is six digits of an area, eight of a birthday, three in sequence, and a check character by ISO 7064
MOD 11-2. GB/T 2260 gave no area that begins with 99, so a number of ours is right in form and can be nobody's.
"""

from __future__ import annotations

from datetime import date

PIN_LENGTH = 6
_CHECK = "10X98765432"
_UP, _DOWN = "01234567890", "09876543210"


def check_character(first: str) -> str:
    """The last character of an ID number, from the 17 digits before it: weights 2^(17-i) modulo 11."""
    total = sum(int(digit) * pow(2, 17 - place, 11) for place, digit in enumerate(first))
    return _CHECK[total % 11]


def id_number(area: str, born: date, sequence: int) -> str:
    """An ID number; `sequence` is odd for men and even for women, below 1,000."""
    first = f"{area}{born:%Y%m%d}{sequence:03}"
    return first + check_character(first)


def card_number(serial: int) -> str:
    """A card number of ours: 99, nine digits, and a check digit by Luhn (ISO/IEC 7812-1)."""
    first = f"99{serial:09}"
    doubled = [int(digit) * (2 - place % 2) for place, digit in enumerate(reversed(first))]
    return first + str(-sum(digit // 10 + digit % 10 for digit in doubled) % 10)


def easily_guessed(pin: str, *known: str) -> bool:
    """Whether a PIN is one that a stranger tries first: one digit or few repeated, a run, or part of a known number."""
    repeated = any(pin == pin[:length] * (len(pin) // length) for length in (1, 2, 3))
    return repeated or pin in _UP or pin in _DOWN or any(pin in number for number in known)
