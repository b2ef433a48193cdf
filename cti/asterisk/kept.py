"""The step of a call, kept with the journal at every turn, so that the next controller finds it and goes on from there."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec

from calls.words import Needs

Step = Literal["notice", "menu", "queue", "ringing", "talking", "rating", "closing"]


class Conversation(msgspec.Struct, frozen=True):
    """Who talks with whom, and how to find them in Asterisk. Instants are monotonic milliseconds."""

    seat: str
    adviser: str
    leg: str
    bridge: str
    begun_ms: int


class KeptCall(msgspec.Struct, frozen=True, kw_only=True):
    """One call that is up. Instants are monotonic milliseconds; `boot_id` tells whether they still compare."""

    call_id: str
    sip_call_id: str
    calling_number: str | None
    line: str
    boot_id: str
    arrived_ms: int
    arrived_at: datetime
    step: Step = "notice"
    queued: bool = False
    """Offered to a queue at some time: decides how the call is counted."""
    visits: int = 0
    visit_open: bool = False
    """The last visit has no `QueueLeft` yet."""
    needs: Needs | None = None
    since_ms: int = 0
    conversation: Conversation | None = None
