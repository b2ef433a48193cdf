"""Passwords, as argon2id keeps them, and the codes of an authenticator app (TOTP, RFC 6238).

A hash costs some 30 ms of a core and 19 MiB on purpose (OWASP's second set of figures, 2025): it is made in a thread, and
two at a time at most, so that a whole shift that signs in at eight takes nothing from the calls.
"""

from __future__ import annotations

import asyncio
import secrets
from datetime import datetime, timedelta

import pyotp
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from calls.errors import NotPossible

SHORTEST, LONGEST = 12, 128
"""Characters. Long and remembered beats short and odd (NIST SP 800-63B), so nothing is asked of which ones they are."""

AT_ONCE = 2
MADE_BYTES = 12
"""Of a password that we make: 96 bits, 16 characters."""

CODE_LASTS = timedelta(seconds=30)

_hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
_NOBODYS = _hasher.hash(secrets.token_urlsafe())
"""What a name without an account is held against, so that it costs the same time."""


class Passwords:
    """Makes and compares hashes, off the event loop."""

    def __init__(self) -> None:
        self._turn = asyncio.Semaphore(AT_ONCE)

    async def hashed(self, password: str) -> str:
        """What is to be kept of it."""
        async with self._turn:
            return await asyncio.to_thread(_hasher.hash, password)

    async def right(self, kept: str | None, password: str) -> bool:
        """Whether this is the password that was kept so; without one never, and it takes as long."""
        async with self._turn:
            return await asyncio.to_thread(_verified, kept or _NOBODYS, password) and kept is not None


def _verified(kept: str, password: str) -> bool:
    try:
        return _hasher.verify(kept, password)
    except (VerificationError, InvalidHashError):
        return False


def made() -> str:
    """A password for somebody's first sign-in."""
    return secrets.token_urlsafe(MADE_BYTES)


def check(password: str, account: str) -> None:
    """Raises NotPossible when nobody should use this one."""
    if not SHORTEST <= len(password) <= LONGEST:
        raise NotPossible(f"a password has {SHORTEST} to {LONGEST} characters. Mend: choose three or four words.")
    if account.casefold() in password.casefold() or len(set(password)) < SHORTEST // 2:
        raise NotPossible("that password is too easy to guess. Mend: choose three or four words, without your name.")


def code_secret() -> str:
    """What an authenticator app and we both know."""
    return pyotp.random_base32()


def code_step(secret: str, code: str, at: datetime) -> int | None:
    """Which 30 s the code is of, by a clock that may be one such step off; None when it is of none of them.

    Whoever takes it keeps that step, and takes none that is not later: each code is good once (RFC 6238, 5.2).
    """
    now = int(at.timestamp() // CODE_LASTS.total_seconds())
    expected = pyotp.TOTP(secret)
    for step in (now, now - 1, now + 1):
        if secrets.compare_digest(expected.generate_otp(step), code):
            return step
    return None
