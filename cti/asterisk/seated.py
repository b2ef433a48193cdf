"""A seat has picked up for a caller: what waiting, calling back and consulting hand on to the conversation."""

from __future__ import annotations

import msgspec

from cti.asterisk.leg import Leg, Phone
from queues import Propose

UNRECORDED = "unrecorded"
"""In place of a track's name in the dialplan: a leg of which nothing is recorded."""


class Seated(msgspec.Struct, frozen=True):
    """The two are not connected yet."""

    proposal: Propose
    leg: Leg
    phone: Phone
    started_ms: int
    """Monotonic; the first moment of the leg's recording."""
    rang_ms: int
    unrecorded: str | None
    """Why this conversation is not recorded; None when it is."""
