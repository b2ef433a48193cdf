"""What a synthetic citizen is told before a call (`CallPlan`), and how the running controller tells what it sees (`Watch`)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import msgspec

from calls.moments import Observation

Watch = Callable[[str], AsyncIterator[Observation]]
"""Given the SIP Call-ID: everything the controller knows of that call, from its first fact on, as it happens."""


class CallPlan(msgspec.Struct, frozen=True, kw_only=True):
    """What the citizen does. Seconds count from the INVITE unless said otherwise."""

    to: str = "12333"
    server: str = "127.0.0.1:5060"
    """host:port of the trunk's far side: the hotline."""
    calling_number: str = "13800001111"
    keys: str = ""
    """One for each menu that waits for a key."""
    barge: bool = False
    """Key as soon as a menu begins to speak."""
    rate: str | None = None
    """The key for the satisfaction question; None: hang up when it is asked."""
    say: Path | None = None
    """Spoken over and over from the answer on; silence when None."""
    hold_s: float | None = None
    """Hang up after so long a conversation; None: let the adviser end it."""
    hang_up_after_s: float | None = None
    """Hang up at that moment, wherever the call is."""
    max_s: float = 120.0
    """A call that is not over by then has failed, and is hung up."""
