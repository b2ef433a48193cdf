"""A caller and an adviser, until they part; and the recording of it."""

from __future__ import annotations

from typing import Literal

from calls.facts.calls import EndedBy
from calls.facts.fact import Fact
from calls.facts.seats import NotAnswered

AssistedOutcome = Literal["verified", "failed", "gave_up", "unavailable", "hung_up", "adviser_left", "interrupted"]
"""What came of a caller whom an adviser sent to the machine to show who they are. `failed`: number and PIN did not fit.
`gave_up`: keyed nothing that could be right. `unavailable`: the business system gave no answer. `hung_up`: the caller.
`interrupted`: by a fault, or because the controller died."""

LeadHow = Literal["listen", "whisper", "barge"]
"""How a team lead is at a conversation: `listen` (监听), heard by nobody; `whisper` (耳语), heard by the adviser alone; `barge`
(强插), heard by both."""

LeadLeftWhy = Literal["left", "changed", "conversation_ended", "apart", "interrupted"]
"""Why that ended. `left`: the lead asked for it, or hung up. `changed`: to another `LeadHow`. `apart`: the machine asks the
caller who they are, which nobody hears. `interrupted`: by a fault, or because the controller died."""

ConsultationOutcome = Literal[
    "handed_over", "taken_back", "left", "not_answered", "caller_left", "conversation_ended", "interrupted"
]
"""How it ended that an adviser asks somebody else about a call. `handed_over`: whoever was asked has the caller.
`taken_back`: the adviser ended it. `left`: whoever was asked hung up. `conversation_ended`: otherwise than by the caller's
hanging up. `interrupted`: by a fault, or because the controller died."""


class SeatAnswered(Fact, frozen=True, kw_only=True, tag="seat_answered"):
    """An adviser has picked up for a caller, who waits no more; first each of them hears the adviser's number."""

    call_id: str
    visit: str
    seat: str
    adviser: str
    waited_ms: int
    rang_ms: int


class AdviserNumberSaid(Fact, frozen=True, kw_only=True, tag="adviser_number_said"):
    """The caller heard the adviser's own number; from here on the two hear each other."""

    call_id: str
    visit: str
    adviser: str


class AssistedIdentification(Fact, frozen=True, kw_only=True, tag="assisted_identification"):
    """In mid-conversation the adviser had the machine ask the caller who they are; the two are together again, or one has left.

    Nothing was recorded meanwhile: in the recording that is `gap_ms` of silence, `gap_from_ms` after its beginning.
    """

    call_id: str
    visit: str
    seat: str
    adviser: str
    outcome: AssistedOutcome
    gap_from_ms: int
    gap_ms: int


class CrisisMarked(Fact, frozen=True, kw_only=True, tag="crisis_marked"):
    """In mid-conversation the adviser marked the call as a crisis (危机来电): somebody's life may be in danger."""

    call_id: str
    visit: str
    seat: str
    adviser: str


class LeadJoined(Fact, frozen=True, kw_only=True, tag="lead_joined"):
    """A team lead hears the conversation from here on, and is heard as `how` says. Who that is, is in the audit log alone."""

    call_id: str
    visit: str
    seat: str
    """Of the adviser."""
    adviser: str
    how: LeadHow


class LeadLeft(Fact, frozen=True, kw_only=True, tag="lead_left"):
    """The lead is there no more, or no more in this way: one for each `lead_joined`."""

    call_id: str
    visit: str
    seat: str
    adviser: str
    how: LeadHow
    why: LeadLeftWhy
    lasted_ms: int


class ConsultationBegun(Fact, frozen=True, kw_only=True, tag="consultation_begun"):
    """An adviser asks somebody else about the call, who is rung from now on; or a team lead takes the call over (`take_over`).

    Meanwhile the caller hears music, but for a `take_over`, of which nothing is heard until the lead has answered.
    """

    call_id: str
    visit: str
    seat: str
    """Of the adviser who asks."""
    adviser: str
    asked_seat: str | None
    """None: somebody outside."""
    asked_adviser: str | None
    outside: str | None
    """The name of whoever is outside, as the settings have it."""
    take_over: bool = False


class ConsultationEnded(Fact, frozen=True, kw_only=True, tag="consultation_ended"):
    """What came of it: one for each `consultation_begun`."""

    call_id: str
    visit: str
    """That of the adviser who asked; whoever takes the caller over has one of their own, if at a seat."""
    asked_seat: str | None
    asked_adviser: str | None
    outside: str | None
    outcome: ConsultationOutcome
    reason: NotAnswered | None = None
    """Of `not_answered`."""
    rang_ms: int
    asked_ms: int
    """How long the two spoke without the caller."""
    together_ms: int
    """How long all three spoke."""


class ConversationEnded(Fact, frozen=True, kw_only=True, tag="conversation_ended"):
    """Adviser and caller are no longer connected."""

    call_id: str
    visit: str
    seat: str
    adviser: str
    talked_ms: int
    held_ms: int = 0
    """Of these, how long the caller was on hold."""
    ended_by: EndedBy
    transferred_to: str | None = None
    """The queue that the adviser passed the caller on to, where another visit begins; None: they did not."""


class RecordingSealed(Fact, frozen=True, kw_only=True, tag="recording_sealed"):
    """The two-channel file of a conversation is whole: caller left, adviser right. dBFS; None where no sound is."""

    call_id: str
    visit: str
    path: str
    sha256: str
    length_ms: int
    left_dbfs: float | None
    right_dbfs: float | None
    left_packets: int
    right_packets: int
    alarms: tuple[str, ...] = ()


class RecordingLost(Fact, frozen=True, kw_only=True, tag="recording_lost"):
    """A conversation has no recording; the reason is for operations."""

    call_id: str
    visit: str
    reason: str
