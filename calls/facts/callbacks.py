"""A call back that is owed, each attempt at it, and its end."""

from __future__ import annotations

from typing import Literal

import msgspec

from calls.facts.fact import Fact
from calls.facts.seats import NotAnswered

OwedWhy = Literal["asterisk_died", "too_many_calls", "asked", "gave_up", "redial", "follow_up"]
"""`asked`: the caller would rather be called back than wait. `gave_up`: hung up while waiting, where that is called back.
`redial`: their adviser wants to speak to them again, at once. `follow_up`: an adviser calls whom they promised a call, or who
left a voice message; once, and nobody else goes on with it."""

NotReached = NotAnswered | Literal["adviser_left"]

PromiseOutcome = Literal["kept", "not_reached", "rang_again", "too_late"]
"""What became of a call back that was owed. `rang_again`: its caller was quicker; `too_late`: nobody could do it in time."""


class CallbackOwed(Fact, frozen=True, kw_only=True, tag="callback_owed"):
    """A caller was dropped or turned away by no doing of their own, or asked to be called back, and is owed a call.

    `promised`: the caller was told so, and this was on the disk before the words were said. Whose number is withheld
    cannot be called and is never promised anything; the fact still says that the hotline failed them.
    """

    call_id: str
    calling_number: str | None
    line: str
    why: OwedWhy
    queue: str | None = None
    """Where the caller waited, or whose adviser was on the line; None before any queue."""
    skills: dict[str, int] = msgspec.field(default_factory=dict)
    """What an adviser has to be able to do, as in `QueueEntered`; empty before any queue."""
    promised: bool = False
    visit: str | None = None
    """The queue visit whose place is kept; None before any queue."""
    since_ms: int | None = None
    """Monotonic: from when the wait counts, as in `QueueEntered`; None before any queue."""


class CallbackBegun(Fact, frozen=True, kw_only=True, tag="callback_begun"):
    """An attempt to call somebody back waits for its turn in the queue. It is a call of its own, and no arrival."""

    call_id: str
    callback_of: str
    """The call whose caller is owed this."""
    attempt: int
    """From 1."""
    line: str
    line_version: str
    trunk: str
    calling_number: str
    """Whom we call, E.164."""


class CallbackTried(Fact, frozen=True, kw_only=True, tag="callback_tried"):
    """An attempt in which an adviser was ready for it: the citizen was rung."""

    call_id: str
    callback_of: str
    attempt: int
    seat: str
    adviser: str
    reached: bool
    reason: NotReached | None
    """Why not; None when reached."""
    rang_ms: int
    """How long the citizen's telephone rang, which is what the attempt cost the adviser."""


class CallbackEnded(Fact, frozen=True, kw_only=True, tag="callback_ended"):
    """What was owed is over: the promise was kept, or it was not, and why."""

    call_id: str
    """The call whose caller was owed it."""
    outcome: PromiseOutcome
    attempts: int
