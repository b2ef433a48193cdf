"""Who has gone to the provider and is to come back: what was agreed with each browser, for ten minutes, in memory.

    begun ──the browser comes back with the state and its cookie──> taken, once, whatever comes of it
      └──ten minutes later, or when too many have gone since──> forgotten

The state goes through the provider, the cookie does not: whoever has only one of them has nothing, so nobody can make
somebody else's browser sign in as them. A controller that is started anew has forgotten all of it; one goes again.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass, field
from datetime import timedelta

from calls.clock import Clock, Instant

LASTS = timedelta(minutes=10)
"""Long enough to look for a telephone with a code on it."""
MOST, MOST_OF_ONE = 2000, 500
"""Under way at once, in all and from one address, which may be a whole floor's. Further ones take the place of the oldest: a
stranger who begins on and on takes their own first."""


def _made() -> str:
    return secrets.token_urlsafe(32)


@dataclass(frozen=True)
class Flow:
    """One browser on its way."""

    address: str
    until: Instant
    board: bool = False
    """To show the wallboard and nothing else."""
    state: str = field(default_factory=_made, repr=False)
    nonce: str = field(default_factory=_made, repr=False)
    """Comes back in the provider's token: it was made for this."""
    verifier: str = field(default_factory=_made, repr=False)
    """Shown with the code, of which the provider knows the `challenge` (PKCE, RFC 7636)."""
    browser: str = field(default_factory=_made, repr=False)
    """The cookie."""

    @property
    def challenge(self) -> str:
        """What the provider is told of the verifier (S256)."""
        return base64.urlsafe_b64encode(hashlib.sha256(self.verifier.encode()).digest()).rstrip(b"=").decode()


class Flows:
    """All that are under way, by state, oldest first."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._begun: dict[str, Flow] = {}

    def __len__(self) -> int:
        return len(self._begun)

    def begin(self, address: str, *, board: bool = False) -> Flow:
        """One more, of a browser there."""
        self._forget_old()
        of_one = [flow for flow in self._begun.values() if flow.address == address]
        if len(of_one) >= MOST_OF_ONE:
            del self._begun[of_one[0].state]
        elif len(self._begun) >= MOST:
            del self._begun[next(iter(self._begun))]
        flow = Flow(address, Instant(self._clock.now() + LASTS.total_seconds()), board)
        self._begun[flow.state] = flow
        return flow

    def take(self, state: str, browser: str) -> Flow | None:
        """That one, if this browser began it; it is over then. Another browser learns nothing, and ends nothing."""
        self._forget_old()
        flow = self._begun.get(state)
        if flow is None or not hmac.compare_digest(flow.browser.encode(), browser.encode()):
            return None
        return self._begun.pop(state)

    def _forget_old(self) -> None:
        now = self._clock.now()
        for flow in list(self._begun.values()):
            if flow.until > now:
                break
            del self._begun[flow.state]
