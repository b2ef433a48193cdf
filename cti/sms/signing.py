"""How both sides know that a message is the other's, unchanged, and new; the contract is docs/texts.md.

    X-Timestamp   seconds since 1970, UTC        X-Nonce   chosen by chance, once
    X-Signature   HMAC-SHA256, in hex, by the common key, over timestamp, line feed, nonce, line feed, body

A message is too old after five minutes, and a nonce is taken once in that time. Nonces are in memory: a controller that has
just begun takes nothing that was signed before it, since the last one may have taken it; whoever sends it again signs anew.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Mapping

from calls.clock import Clock

GOOD_FOR_S = 300
"""How far the two clocks may be apart, and a message be on its way."""
NONCE_BYTES = 16


def signed(key: bytes, body: bytes, clock: Clock) -> dict[str, str]:
    """The headers that go with this body."""
    timestamp, nonce = str(int(clock.utc().timestamp())), secrets.token_hex(NONCE_BYTES)
    return {"X-Timestamp": timestamp, "X-Nonce": nonce, "X-Signature": _signature(key, timestamp, nonce, body)}


class Doorman:
    """Lets each message in that is the other side's, and lets it in once."""

    def __init__(self, key: bytes, clock: Clock) -> None:
        self._key, self._clock = key, clock
        self._began = int(clock.utc().timestamp())
        self._seen: dict[str, float] = {}
        """Nonces, the oldest first, and until when each counts, by the monotonic clock."""

    def lets_in(self, headers: Mapping[str, str], body: bytes) -> bool:
        """Whether to act on it."""
        timestamp, nonce = headers.get("X-Timestamp", ""), headers.get("X-Nonce", "")
        right = _signature(self._key, timestamp, nonce, body)
        if not hmac.compare_digest(right.encode(), headers.get("X-Signature", "").encode()):
            return False
        if not (timestamp.isascii() and timestamp.isdecimal()):
            return False
        age_s, now = self._clock.utc().timestamp() - int(timestamp), self._clock.now()
        while self._seen and next(iter(self._seen.values())) <= now:
            del self._seen[next(iter(self._seen))]
        if nonce in self._seen or abs(age_s) > GOOD_FOR_S or int(timestamp) < self._began:
            return False
        self._seen[nonce] = now + 2 * GOOD_FOR_S
        return True


def _signature(key: bytes, timestamp: str, nonce: str, body: bytes) -> str:
    return hmac.new(key, f"{timestamp}\n{nonce}\n".encode() + body, hashlib.sha256).hexdigest()
