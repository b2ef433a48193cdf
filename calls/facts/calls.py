"""A call, from its arrival to its one terminal row; and those that were turned away."""

from __future__ import annotations

from typing import Literal

from calls.facts.fact import Fact

CallOutcome = Literal[
    "refused", "abandoned_hold", "abandoned_notice", "abandoned_menu", "machine", "queued", "called_back", "fault"
]
"""Where a call ended up. Conservation: arrivals = the sum of these + calls still up. `queued`: offered to a queue.
`called_back`: no arrival, but an attempt of ours to call somebody back, whatever came of it."""

EndedBy = Literal["caller", "seat", "system", "fault"]


class CallArrived(Fact, frozen=True, kw_only=True, tag="call_arrived"):
    """A trunk brought a call. `call_id` is Asterisk's own unique id, so that its call records join without a map."""

    call_id: str
    line: str
    line_version: str
    trunk: str
    dialled: str
    calling_number: str | None
    sip_call_id: str


class CallRefused(Fact, frozen=True, kw_only=True, tag="call_refused"):
    """A call was turned away: no line takes it, more calls came than can be carried, or its number is refused for a while.

    Of such a number, whoever says by key that a life is in danger goes on to the crisis queue all the same.
    """

    call_id: str
    trunk: str
    dialled: str
    calling_number: str | None
    sip_call_id: str
    reason: str


class CallsTurnedBack(Fact, frozen=True, kw_only=True, tag="calls_turned_back"):
    """In a flood, a trunk was shut for so long: its calls were answered 503 before Asterisk made anything of them.

    They have no id and no other fact; `count` is all there is, None where Asterisk's log could not be read.
    """

    trunk: str
    count: int | None
    shut_ms: int


class CallEnded(Fact, frozen=True, kw_only=True, tag="call_ended"):
    """The one terminal row of a call."""

    call_id: str
    outcome: CallOutcome
    ended_by: EndedBy
    lasted_ms: int
    step: str
