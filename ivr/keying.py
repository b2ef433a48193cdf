"""Numbers that callers key: an ID number, a card number, a PIN. Nobody but the flow that asked ever knows the digits."""

from __future__ import annotations

from datetime import date

from ivr.caller import Caller

END, STAR = "#", "*"

ID_DIGITS, CARD_DIGITS = 18, 19
"""Of a card number, at most."""

_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECK = "10X98765432"
"""GB 11643-1999: the last digit of an ID number, by ISO 7064 MOD 11-2."""


async def key_number(
    caller: Caller, most: int, wait_s: float, *, first_s: float | None = None, star_answers: bool = False
) -> str | None:
    """The digits until #, until there are `most`, or until none comes for `wait_s` seconds; * begins anew. None: no digit.

    One # before the first digit belongs to the number before, which may have been whole without it. The first key may take
    `first_s` seconds, where that is given. Where `star_answers`, a * before any digit is the answer itself."""
    digits, leftover, untouched = "", True, True
    while len(digits) < most:
        key = await caller.key(first_s if untouched and first_s is not None else wait_s)
        if key == END and leftover and not digits:
            leftover = False
            continue
        if key is None or key == END:
            break
        if key == STAR and untouched and star_answers:
            return STAR
        untouched = False
        digits = "" if key == STAR else digits + key
    return digits or None


async def key_id_or_card(caller: Caller, wait_s: float) -> str | None:
    """As `key_number`, for an ID number, which ends by itself with its last character, or a card number, which needs its #.

    * is the X at the end of an ID number, and begins anew anywhere else."""
    keyed = ""
    while len(keyed) < CARD_DIGITS and not is_id_number(keyed):
        key = await caller.key(wait_s)
        if key is None or key == END:
            break
        if key != STAR:
            keyed += key
        else:
            keyed = f"{keyed}X" if is_id_number(f"{keyed}X") else ""
    return keyed or None


def is_id_number(number: str) -> bool:
    """Whether it can be an ID number (GB 11643): its date and its checksum, not whether anybody has it."""
    if len(number) != ID_DIGITS or not number[:17].isdigit():
        return False
    try:
        date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        return False
    total = sum(weight * int(digit) for weight, digit in zip(_WEIGHTS, number, strict=False))
    return number[17] == _CHECK[total % 11]
