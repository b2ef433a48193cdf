"""A queue visit, from its beginning to its one end."""

from __future__ import annotations

from typing import Literal

from calls.facts.fact import Fact
from calls.words import Urgency

VisitOutcome = Literal[
    "answered",
    "abandoned_waiting",
    "abandoned_ringing",
    "callback",
    "message",
    "not_reached",
    "withdrawn",
    "overflow",
    "closed",
    "full",
    "no_seat",
    "fault",
]
"""How a queue visit ended. Conservation: visits = the sum of these + visits still open.

`callback`: the caller hung up for the promise of a call back. `message`: was led to leave a voice message. `overflow`: goes on
in another queue. Of an attempt to call
back: `not_reached`, or `withdrawn`, because its promise was over before its turn came."""


class QueueEntered(Fact, frozen=True, kw_only=True, tag="queue_entered"):
    """A caller began to wait. `since_ms`, monotonic, decides the turn; a return to the queue keeps the first one."""

    call_id: str
    visit: str
    queue: str
    skills: dict[str, int]
    since_ms: int
    returned: bool
    urgency: Urgency = "normal"
    language: str | None = None
    """None: Mandarin."""
    site: str | None = None
    """None: anywhere."""
    place_of: str | None = None
    """The visit of an earlier call whose kept place this caller has; None: came new."""
    preferred: str | None = None
    """The adviser's number that the caller had last, or asked for."""


class PositionSaid(Fact, frozen=True, kw_only=True, tag="position_said"):
    """The caller was told a place in the queue, true at that moment, and, where it was known, how long it may take still."""

    call_id: str
    visit: str
    position: int
    expected_p50_ms: int | None = None
    """Half of such callers wait less from here on; None: nobody knows."""
    expected_p90_ms: int | None = None
    """Nine in ten do."""
    minutes: int | None = None
    """What the caller was told of it; None: nothing, because it was not known, or no better than the last time."""


class QueueLeft(Fact, frozen=True, kw_only=True, tag="queue_left"):
    """A queue visit ended, one way or another; exactly one for each `QueueEntered`."""

    call_id: str
    visit: str
    outcome: VisitOutcome
    waited_ms: int
