"""How a PIN is kept: a salt of its own and scrypt (RFC 7914), never the PIN.

The cost is low, so that thousands are made within seconds. It could be a hundred times as high and would not save six
digits from somebody who has the table: what protects them is that the table leaves the database for nobody.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets

COST = 2**9
"""About 2 ms and half a megabyte each."""
SALT_BYTES = 16
NOBODY = bytes(SALT_BYTES)
"""The salt of an account that does not exist: its PIN is hashed all the same, so that the time tells nothing."""


def new_salt() -> bytes:
    """One that nobody else has."""
    return secrets.token_bytes(SALT_BYTES)


def hashed(secret: str, salt: bytes) -> bytes:
    """The hash that is kept."""
    return hashlib.scrypt(secret.encode(), salt=salt, n=COST, r=8, p=1, dklen=32)


def same(one: bytes, other: bytes) -> bool:
    """Compare without telling by the time where they differ."""
    return hmac.compare_digest(one, other)
