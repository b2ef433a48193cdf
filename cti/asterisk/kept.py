"""The step of a call, kept with the journal at every turn, so that the next controller finds it and goes on from there."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec

from calls.facts import CallOutcome, EndedBy, LeadHow, QueueEntered
from calls.words import AskedState, Needs
from ivr.next import Reached
from ivr.refused import Refusal
from ivr.window import Matter

Step = Literal[
    "notice",
    "menu",
    "message",
    "fax",
    "queue",
    "ringing",
    "calling",
    "talking",
    "outside",
    "rating",
    "closing",
    "turned_away",
]
"""`outside`: with somebody outside to whom the adviser has handed the caller over."""


class KeptLead(msgspec.Struct, frozen=True):
    """A team lead is at a conversation. The instant is monotonic milliseconds."""

    how: LeadHow
    since_ms: int


class Conversation(msgspec.Struct, frozen=True):
    """Who talks with whom, and how to find them in Asterisk. Instants are monotonic milliseconds.

    Kept from the adviser's answer on: the number may still be to be said, and the two to be brought together.
    """

    seat: str
    adviser: str
    leg: str
    bridge: str
    begun_ms: int
    rang_ms: int
    endpoint: str = ""
    """What of the seat it goes by: its telephone, or the page there; empty: the telephone, before there were pages."""
    held_ms: int = 0
    """How long the caller was on hold, but for the present hold."""
    held_since_ms: int | None = None
    """When the present hold began; None while they talk."""
    apart_since_ms: int | None = None
    """Since when the caller is with the machine, to show who they are; None: they are not."""
    aside: bool = False
    """The caller is on hold because somebody else is being asked about the call."""
    lead: KeptLead | None = None

    def hold(self, on: bool, now_ms: int) -> Conversation:
        """The same, with the caller on hold from now on, or no longer."""
        return msgspec.structs.replace(self, held_ms=self.held_until(now_ms), held_since_ms=now_ms if on else None)

    def held_until(self, now_ms: int) -> int:
        """How long the caller was on hold in all."""
        return self.held_ms + (0 if self.held_since_ms is None else max(0, now_ms - self.held_since_ms))


class KeptConsultation(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody is asked about the call. Instants are monotonic milliseconds, None: not yet."""

    visit: str
    """In whose conversation."""
    leg: str
    endpoint: str
    seat: str
    """Of whoever is asked; empty: they are outside."""
    adviser: str
    outside: str
    """The name of whoever is outside; empty: they are at a seat."""
    take_over: bool
    asked_by: str
    """The adviser in the conversation."""
    state: AskedState = "ringing"
    since_ms: int
    """Of the state."""
    begun_ms: int
    rang_ms: int | None = None
    """How long they were rung; None: they have not answered."""
    consulting_ms: int | None = None
    """Since when the two speak without the caller."""
    conference_ms: int | None = None
    """Since when all three speak."""
    bridge: str = ""
    """Where whoever is outside has the caller."""


class Rung(msgspec.Struct, frozen=True):
    """Which seat rings for a caller."""

    seat: str
    adviser: str


class KeptDictation(Matter, frozen=True, kw_only=True):
    """A voice message that is being taken down. The instant is monotonic milliseconds."""

    message: str
    begun_at: datetime
    begun_ms: int


class KeptFax(msgspec.Struct, frozen=True):
    """A fax that is being sent. The instant is monotonic milliseconds."""

    document: str
    begun_ms: int
    pages: int = 0
    """Those that there are to send; 0 until they are written."""


class Told(msgspec.Struct, frozen=True):
    """What a waiting caller was told last of place and expected wait; None: nothing yet."""

    position: int | None = None
    minutes: int | None = None

    def once_more(self) -> Told:
        """What the next controller may say again, but nothing worse."""
        return Told(*(None if each is None else each + 1 for each in (self.position, self.minutes)))


class Attempt(msgspec.Struct, frozen=True):
    """What makes a call one of ours: an attempt to call somebody back."""

    callback_of: str
    """The call whose caller is owed it."""
    number: int
    """From 1."""
    seat: str | None = None
    """The seat that calls a caller back whom it lost; None: whichever has its turn."""
    reached: bool = False
    """The citizen has answered: from here on it is a call like any other."""
    follow_up: str | None = None
    """What the adviser owes, who makes this call: it is for their seat alone. None: it is a call back of the queue."""


class KeptCall(msgspec.Struct, frozen=True, kw_only=True):
    """One call that is up. Instants are monotonic milliseconds; `boot_id` tells whether they still compare."""

    call_id: str
    sip_call_id: str
    calling_number: str | None
    line: str
    trunk: str = ""
    boot_id: str
    arrived_ms: int
    arrived_at: datetime
    step: Step = "notice"
    refused: Refusal | None = None
    """Its number is refused for a while, and why: of such a call only the crisis queue is reached."""
    queued: bool = False
    """Offered to a queue at some time: decides how the call is counted."""
    visits: int = 0
    visit_open: bool = False
    """The last visit has no `QueueLeft` yet."""
    needs: Needs | None = None
    since_ms: int = 0
    place_of: str | None = None
    """The visit of an earlier call whose kept place this one was given."""
    told: Told = Told()
    """In the present visit."""
    rung: Rung | None = None
    """While a seat rings, and while its adviser waits for a citizen who is called back."""
    conversation: Conversation | None = None
    consultation: KeptConsultation | None = None
    """Somebody is asked about the call, or has it, outside."""
    callback: Attempt | None = None
    language: str | None = None
    """Spoken to the caller; None: the line's own."""
    reached: Reached = Reached()
    """In the menus."""
    chosen: tuple[str, ...] = ()
    """What the caller chose in the menus, by name, and what the machine served them with: for the adviser to see."""
    slow: bool = False
    """The caller has asked for slow speech."""
    served: bool = False
    """A service of the machine did what the caller came for: decides how the call is counted."""
    dictation: KeptDictation | None = None
    dictations: int = 0
    """How many voice messages were begun in this call."""
    fax: KeptFax | None = None
    crisis_at: datetime | None = None
    """UTC; when an adviser marked it as a crisis."""
    crisis_before: datetime | None = None
    """UTC; when an earlier call of this number was marked so, within a day."""

    @property
    def legs(self) -> set[str]:
        """The channels of everybody else in the call: they go on under another controller."""
        asked = self.consultation if self.consultation and self.consultation.state != "ringing" else None
        return {one.leg for one in (self.conversation, asked) if one}

    @property
    def bridges(self) -> set[str]:
        """Where they hear each other."""
        return {one.bridge for one in (self.conversation, self.consultation) if one and one.bridge}

    @property
    def unreached(self) -> bool:
        """An attempt whose citizen has not answered: until they are rung there is no channel of it."""
        return self.callback is not None and not self.callback.reached

    @property
    def waits_away(self) -> bool:
        """An attempt that waits for its turn: neither an adviser nor the citizen is rung."""
        return self.unreached and self.step == "queue"

    def answered(self) -> KeptCall:
        """The same, its citizen having answered."""
        attempt = self.callback and msgspec.structs.replace(self.callback, reached=True)
        return msgspec.structs.replace(self, callback=attempt)

    @property
    def carried(self) -> bool:
        """One of the calls that are carried; not one that is only told that there are too many, or that it is refused."""
        return self.step != "turned_away"


def visit_begins(
    call_id: str, number: int, needs: Needs, since_ms: int, *, returned: bool = False, place_of: str | None = None
) -> QueueEntered:
    """The visit of this number, from one of the call, begins; its wait counts from `since_ms`."""
    return QueueEntered(
        call_id=call_id,
        visit=f"{call_id}.{number}",
        queue=needs.queue,
        skills=needs.skills,
        since_ms=since_ms,
        returned=returned,
        urgency=needs.urgency,
        language=needs.language,
        site=needs.site,
        place_of=place_of,
        preferred=needs.preferred,
    )


def outcome(kept: KeptCall, ended_by: EndedBy) -> CallOutcome:
    """How a call that ended at its present step is counted."""
    if not kept.carried or (kept.refused and not kept.queued):
        return "refused"
    if kept.callback:
        return "called_back"
    if kept.queued:
        return "queued"
    if ended_by == "fault":
        return "fault"
    if kept.served:
        return "machine"
    by_step: dict[str, CallOutcome] = {"notice": "abandoned_notice", "menu": "abandoned_menu"}
    return by_step.get(kept.step, "machine")
