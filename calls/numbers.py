"""The calling number, normalised once at the door.

One form (E.164) feeds the repeat-caller box, the kept place and the lock-out. A trunk may send 13800001111,
013800001111, +8613800001111, 057188881234 or nothing at all: they must come out the same, or not at all.
Caller id proves nothing; it is only ever a hint of who may be calling.
"""

from __future__ import annotations

from collections.abc import Collection

import msgspec
import phonenumbers

REGIONS: Collection[str] = phonenumbers.SUPPORTED_REGIONS
"""Two-letter names of the regions whose numbers can be read."""

WITHHELD_WORDS = frozenset({"", "anonymous", "unavailable", "unknown", "restricted", "private"})


NEVER_RUNG = frozenset({phonenumbers.PhoneNumberType.PREMIUM_RATE, phonenumbers.PhoneNumberType.SHARED_COST})
"""Whoever sends such a number as a caller id would have the hotline pay for calling it."""


class CallingNumber(msgspec.Struct, frozen=True):
    """Who seems to be calling: `e164` is None when withheld or not a number; `raw` is what the trunk sent, cut."""

    e164: str | None
    raw: str

    @property
    def withheld(self) -> bool:
        """True when the network told no number at all."""
        return self.raw.lower() in WITHHELD_WORDS


def normalise(raw: str, region: str = "CN") -> CallingNumber:
    """Bring a trunk's caller id into E.164. Never raises: a number that cannot be read stays raw only."""
    text = raw.strip()[:32]
    if text.lower() in WITHHELD_WORDS:
        return CallingNumber(None, "")
    # Chinese trunks put the long-distance 0 before mobile numbers too; the library knows it only before area codes.
    dialled = text[1:] if region == "CN" and text.startswith("01") and len(text) == 12 else text
    try:
        number = phonenumbers.parse(dialled, region)
    except phonenumbers.NumberParseException:
        return CallingNumber(None, text)
    if not phonenumbers.is_possible_number(number):
        return CallingNumber(None, text)
    return CallingNumber(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164), text)


def dialled(e164: str, region: str = "CN") -> str | None:
    """What is dialled within the region to ring this number: `13800001111`, `057188881234`; None when it must not be rung.

    Only real numbers of the region itself: a caller id is easily made up, and a foreign one would cost what it likes.
    """
    number = phonenumbers.parse(e164)
    if not phonenumbers.is_valid_number_for_region(number, region) or phonenumbers.number_type(number) in NEVER_RUNG:
        return None
    national = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.NATIONAL)
    return "".join(filter(str.isdecimal, national))
