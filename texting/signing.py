"""How both sides know that a message is the other's, unchanged, and new.

    X-Timestamp   seconds since 1970, UTC        X-Nonce   chosen by chance, once
    X-Signature   HMAC-SHA256, in hex, by the common key, over timestamp, line feed, nonce, line feed, body

A message is too old after five minutes, and a nonce is taken once in that time. Nonces are in memory: a gateway that has just
started takes nothing that was signed before, since it may have taken it already; whoever asks again signs anew.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from collections.abc import Callable, Mapping

GOOD_FOR_S = 300
NONCE_BYTES = 16
ANY_BYTES = ("utf-8", "surrogateescape")
"""How aiohttp reads what stands in a header."""


def signed(key: bytes, body: bytes, now: float | None = None) -> dict[str, str]:
    """The headers that go with this body."""
    timestamp, nonce = str(int(time.time() if now is None else now)), secrets.token_hex(NONCE_BYTES)
    return {"X-Timestamp": timestamp, "X-Nonce": nonce, "X-Signature": _signature(key, timestamp, nonce, body)}


class Doorman:
    """Lets each message in that is the other side's, and lets it in once."""

    def __init__(self, key: bytes, now: Callable[[], float] = time.time) -> None:
        self._key, self._now = key, now
        self._began = now()
        self._seen: dict[str, float] = {}
        """Nonces, the oldest first, and until when each counts."""

    def lets_in(self, headers: Mapping[str, str], body: bytes) -> bool:
        """Whether to act on it."""
        timestamp, nonce = headers.get("X-Timestamp", ""), headers.get("X-Nonce", "")
        right = _signature(self._key, timestamp, nonce, body)
        if not hmac.compare_digest(right.encode(), headers.get("X-Signature", "").encode(*ANY_BYTES)):
            return False
        if not (timestamp.isascii() and timestamp.isdecimal()):
            return False
        at, now = int(timestamp), self._now()
        while self._seen and next(iter(self._seen.values())) <= now:
            del self._seen[next(iter(self._seen))]
        if nonce in self._seen or abs(now - at) > GOOD_FOR_S or at < int(self._began):
            return False
        self._seen[nonce] = now + 2 * GOOD_FOR_S
        return True


def _signature(key: bytes, timestamp: str, nonce: str, body: bytes) -> str:
    return hmac.new(key, f"{timestamp}\n{nonce}\n".encode(*ANY_BYTES) + body, hashlib.sha256).hexdigest()
