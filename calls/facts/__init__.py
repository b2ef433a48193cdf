"""What happened: one frozen, versioned event a step, in the past tense.

    hotline.py         a controller takes over, its files are read, alarms
    calls.py           a call arrives, is turned away, ends
    blocks.py          calling numbers that are refused for a while
    machine.py         the notice, the menus, the services
    messages.py        voice messages and complaints
    faxes.py, texts.py what is sent to the caller
    waiting.py         a queue visit, from its beginning to its end
    seats.py           how a seat stands, for whom it was chosen and why
    conversations.py   a caller and an adviser, and the recording of it
    ratings.py         how callers found it
    callbacks.py       calls back that are owed, and what becomes of them
    wrapups.py         what advisers write down of a conversation
    audit.py           who did what at the desk

Every figure is computed from these and nothing is counted on the side. A fact is appended to the node's journal,
shipped to Postgres, published on MQTT and pushed to desks, in that order. No fact ever holds a keyed digit
that could be part of a secret: a wrong key is a fact, which key it was is not.

To add a fact: add a class to the file of what it is about, name it here and in `AnyFact`, give it a table in `cti/store/`
if people ask for it by SQL, and describe it in docs/asyncapi.yaml (a test compares). To change one: never; add a field with
a default, raise VERSION.
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from calls.facts.audit import Audited, AuditedAct
from calls.facts.blocks import BlockEnded, BlockEndedWhy, BlockReviewed, NumberBlocked
from calls.facts.callbacks import (
    CallbackBegun,
    CallbackEnded,
    CallbackOwed,
    CallbackTried,
    NotReached,
    OwedWhy,
    PromiseOutcome,
)
from calls.facts.calls import CallArrived, CallEnded, CallOutcome, CallRefused, CallsTurnedBack, EndedBy
from calls.facts.conversations import (
    AdviserNumberSaid,
    AssistedIdentification,
    AssistedOutcome,
    ConsultationBegun,
    ConsultationEnded,
    ConsultationOutcome,
    ConversationEnded,
    CrisisMarked,
    LeadHow,
    LeadJoined,
    LeadLeft,
    LeadLeftWhy,
    RecordingLost,
    RecordingSealed,
    SeatAnswered,
)
from calls.facts.fact import Fact
from calls.facts.faxes import FaxResult, FaxSent, FaxWay
from calls.facts.hotline import AlarmCleared, AlarmRaised, ControllerStarted, LinesLoaded
from calls.facts.machine import MenuOutcome, MenuStepTaken, NoticeHeard, ServiceOutcome, ServiceUsed, SlowSpeechBegun
from calls.facts.messages import MessagePurpose, VoiceMessageAnswered, VoiceMessageLeft
from calls.facts.ratings import MachineRated, RatingFollowedUp, RatingKeyed
from calls.facts.seats import (
    Chosen,
    NotAnswered,
    PassedOver,
    PassedOverWhy,
    SeatDidNotAnswer,
    SeatOffered,
    SeatState,
    SeatStateChanged,
)
from calls.facts.texts import TextEnded, TextOutcome, TextQueued, TextTaken, Whose
from calls.facts.waiting import PositionSaid, QueueEntered, QueueLeft, VisitOutcome
from calls.facts.wrapups import FollowUpDone, WrappedUp

__all__ = [
    "VERSION",
    "AdviserNumberSaid",
    "AlarmCleared",
    "AlarmRaised",
    "AnyFact",
    "AssistedIdentification",
    "AssistedOutcome",
    "Audited",
    "AuditedAct",
    "BlockEnded",
    "BlockEndedWhy",
    "BlockReviewed",
    "CallArrived",
    "CallEnded",
    "CallOutcome",
    "CallRefused",
    "CallbackBegun",
    "CallbackEnded",
    "CallbackOwed",
    "CallbackTried",
    "CallsTurnedBack",
    "Chosen",
    "ConsultationBegun",
    "ConsultationEnded",
    "ConsultationOutcome",
    "ControllerStarted",
    "ConversationEnded",
    "CrisisMarked",
    "EndedBy",
    "Fact",
    "FaxResult",
    "FaxSent",
    "FaxWay",
    "FollowUpDone",
    "LeadHow",
    "LeadJoined",
    "LeadLeft",
    "LeadLeftWhy",
    "LinesLoaded",
    "MachineRated",
    "MenuOutcome",
    "MenuStepTaken",
    "MessagePurpose",
    "NotAnswered",
    "NotReached",
    "NoticeHeard",
    "NumberBlocked",
    "OwedWhy",
    "PassedOver",
    "PassedOverWhy",
    "PositionSaid",
    "PromiseOutcome",
    "QueueEntered",
    "QueueLeft",
    "RatingFollowedUp",
    "RatingKeyed",
    "RecordingLost",
    "RecordingSealed",
    "SeatAnswered",
    "SeatDidNotAnswer",
    "SeatOffered",
    "SeatState",
    "SeatStateChanged",
    "ServiceOutcome",
    "ServiceUsed",
    "SlowSpeechBegun",
    "Stamped",
    "TextEnded",
    "TextOutcome",
    "TextQueued",
    "TextTaken",
    "VisitOutcome",
    "VoiceMessageAnswered",
    "VoiceMessageLeft",
    "Whose",
    "WrappedUp",
    "kind_of",
]

VERSION = 5
"""Of the whole set of shapes; each stored fact carries the version that wrote it."""

AnyFact = (
    ControllerStarted
    | LinesLoaded
    | CallArrived
    | CallRefused
    | CallsTurnedBack
    | NumberBlocked
    | BlockReviewed
    | BlockEnded
    | NoticeHeard
    | MenuStepTaken
    | SlowSpeechBegun
    | ServiceUsed
    | VoiceMessageLeft
    | FaxSent
    | VoiceMessageAnswered
    | TextQueued
    | TextTaken
    | TextEnded
    | QueueEntered
    | PositionSaid
    | SeatOffered
    | SeatDidNotAnswer
    | SeatAnswered
    | AdviserNumberSaid
    | AssistedIdentification
    | ConsultationBegun
    | ConsultationEnded
    | CrisisMarked
    | LeadJoined
    | LeadLeft
    | QueueLeft
    | ConversationEnded
    | RecordingSealed
    | RecordingLost
    | RatingKeyed
    | MachineRated
    | RatingFollowedUp
    | WrappedUp
    | FollowUpDone
    | CallbackOwed
    | CallbackBegun
    | CallbackTried
    | CallbackEnded
    | CallEnded
    | SeatStateChanged
    | AlarmRaised
    | AlarmCleared
    | Audited
)


class Stamped(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A fact with its place in history: (node, seq) is its identity everywhere."""

    node: str
    seq: int
    at: datetime
    """UTC, for people."""
    mono_ms: int
    """Monotonic milliseconds since the machine started, for durations."""
    version: int
    fact: AnyFact


def kind_of(fact: AnyFact) -> str:
    """The fact's word: `call_arrived`, ..."""
    return str(fact.__struct_config__.tag)
