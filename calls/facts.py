"""What happened: one frozen, versioned event a step, in the past tense.

Every figure is computed from these and nothing is counted on the side. A fact is appended to the node's journal,
shipped to Postgres, published on MQTT and pushed to desks, in that order. No fact ever holds a keyed digit
that could be part of a secret: a wrong key is a fact, which key it was is not.

To add a fact: add a class here, add it to `AnyFact`, give it a table in `cti/store/` if people ask for it by SQL, and
describe it in docs/asyncapi.yaml (a test compares). To change one: never; add a field with a default, raise VERSION.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec

from calls.words import Language, Urgency

VERSION = 4
"""Of the whole set of shapes below; each stored fact carries the version that wrote it."""

CallOutcome = Literal[
    "refused", "abandoned_hold", "abandoned_notice", "abandoned_menu", "machine", "queued", "called_back", "fault"
]
"""Where a call ended up. Conservation: arrivals = the sum of these + calls still up. `queued`: offered to a queue.
`called_back`: no arrival, but an attempt of ours to call somebody back, whatever came of it."""

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

MenuOutcome = Literal["chosen", "wrong", "missing", "again", "back", "person", "gave_up"]
EndedBy = Literal["caller", "seat", "system", "fault"]
SeatState = Literal[
    "logged_out", "not_ready", "ready", "reserved", "ringing", "calling", "talking", "holding", "wrap_up"
]
NotAnswered = Literal["no_answer", "busy", "unreachable", "refused"]
OwedWhy = Literal["asterisk_died", "too_many_calls", "asked", "gave_up", "redial"]
"""`asked`: the caller would rather be called back than wait. `gave_up`: hung up while waiting, where that is called back.
`redial`: their adviser wants to speak to them again, at once."""

Whose = Literal["bound", "calling"]
"""Whose telephone a text goes to: the one that the account is bound to, or the one that is calling."""
TextOutcome = Literal["delivered", "undeliverable", "refused", "too_late", "unreported", "lost"]
"""`refused`: the gateway will not take it; `too_late`: nobody took it in time; `unreported`: taken, and no word since; `lost`:
a secret, and the controller died before it was sent."""
AssistedOutcome = Literal["verified", "failed", "gave_up", "unavailable", "hung_up", "adviser_left", "interrupted"]
"""What came of a caller whom an adviser sent to the machine to show who they are. `failed`: number and PIN did not fit.
`gave_up`: keyed nothing that could be right. `unavailable`: the business system gave no answer. `hung_up`: the caller.
`interrupted`: by a fault, or because the controller died."""

NotReached = NotAnswered | Literal["adviser_left"]
PromiseOutcome = Literal["kept", "not_reached", "rang_again", "too_late"]
"""What became of a call back that was owed. `rang_again`: its caller was quicker; `too_late`: nobody could do it in time."""


ServiceOutcome = Literal["done", "gave_up", "not_identified", "refused", "unavailable", "unknown", "hung_up"]
"""What came of a service of the machine. `gave_up`: the caller did not do what it takes; `not_identified`: could not show who
they are; `refused`: the business system says no; `unavailable`: it cannot be done now; `unknown`: nobody knows if it is."""

FaxResult = Literal["done", "no_machine", "broken_off", "hung_up", "unknown"]
"""What came of a fax. `no_machine`: no fax machine answered; `broken_off`: some pages were not confirmed; `unknown`: nothing
could be sent, or nobody knows if it was."""

FaxWay = Literal["t38", "audio"]
"""`t38`: as data, ITU-T T.38; `audio`: as tones in the voice."""


AuditedAct = Literal[
    "account_added",
    "account_changed",
    "account_helped",
    "locked_out",
    "password_chosen",
    "seat_changed",
    "sign_in_refused",
    "signed_in",
    "signed_out",
]
"""What the audit log tells of."""

MessagePurpose = Literal["message", "complaint"]
"""What a caller left: a message, or a complaint or suggestion, which goes to others than the adviser whom it is about."""

PassedOverWhy = Literal[
    "skill",
    "language",
    "site",
    "lending",
    "surplus",
    "rest",
    "not_preferred",
    "not_ready",
    "reserved",
    "ringing",
    "calling",
    "talking",
    "holding",
    "wrap_up",
]
"""Why another seat was not chosen, or why a caller who came before could not have it (the first four)."""


BlockEndedWhy = Literal["lifted", "expired"]


class PassedOver(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Others who were passed over for one reason: how many, and the first few of them."""

    why: PassedOverWhy
    detail: str
    """What is missing: `pension 3`, a language, a site; else empty."""
    count: int
    some: tuple[str, ...] = ()
    """Seats; nothing where callers are meant."""


class Chosen(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What decided for a caller and a seat, in figures."""

    waited_ms: int
    rested_ms: int
    surplus: int
    """Levels of the adviser beyond what was asked, over all skills."""
    preferred: bool
    """The adviser was the one whom the caller wanted."""


class Fact(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind"):
    """Something that happened; its tag is the word for it in the journal, in SQL and on MQTT."""


class ControllerStarted(Fact, frozen=True, kw_only=True, tag="controller_started"):
    """A controller took over this node; calls it found in Asterisk go on."""

    release: str
    boot_id: str
    adopted: int


class LinesLoaded(Fact, frozen=True, kw_only=True, tag="lines_loaded"):
    """The hotline files were read; `versions` maps a line's number to its version."""

    versions: dict[str, str]


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


class NumberBlocked(Fact, frozen=True, kw_only=True, tag="number_blocked"):
    """Somebody put a calling number on the block list, or changed what stands there, until a day."""

    calling_number: str
    """E.164."""
    reason: str
    by: str
    """Who did it."""
    until: datetime
    """UTC: over by itself."""
    review_at: datetime
    """UTC: somebody is to look again by then whether it is still right."""


class BlockReviewed(Fact, frozen=True, kw_only=True, tag="block_reviewed"):
    """Somebody looked again at a block, and lets it stand until a day."""

    calling_number: str
    by: str
    until: datetime
    """UTC."""
    review_at: datetime
    """UTC."""


class BlockEnded(Fact, frozen=True, kw_only=True, tag="block_ended"):
    """A number may call again."""

    calling_number: str
    why: BlockEndedWhy
    by: str | None
    """Who lifted it; None: its time was over."""


class NoticeHeard(Fact, frozen=True, kw_only=True, tag="notice_heard"):
    """The legal notice was played: which version, in which language, how much of it. Kept as evidence."""

    call_id: str
    notice: str
    notice_version: str
    language: Language
    heard_ms: int
    whole: bool


class MenuStepTaken(Fact, frozen=True, kw_only=True, tag="menu_step_taken"):
    """One answer, or none, to one menu. `choice` is the option's name, never the key."""

    call_id: str
    menu: str
    attempt: int
    outcome: MenuOutcome
    choice: str | None
    waited_ms: int


class SlowSpeechBegun(Fact, frozen=True, kw_only=True, tag="slow_speech_begun"):
    """A caller asked twice in a row to hear it again: from here on everything is said slowly, and keys have more time."""

    call_id: str
    asked_in: str
    """The menu, or what the caller was being served with."""


class ServiceUsed(Fact, frozen=True, kw_only=True, tag="service_used"):
    """A caller was with a service of the machine, to its end."""

    call_id: str
    service: str
    """The service's name; `say` for an announcement, `topic` for a topic of the day, `department` for a number, `region` for
    another region."""
    about: str
    """The choice or the queue that led there, or the name of the topic, department or region."""
    outcome: ServiceOutcome
    lasted_ms: int


class VoiceMessageLeft(Fact, frozen=True, kw_only=True, tag="voice_message_left"):
    """A caller left a voice message; the recording of that name is sealed with the end of the call.

    It was on the disk before the caller was told that it is kept.
    """

    call_id: str
    message: str
    line: str
    about: str
    """The choice or the queue that led there."""
    calling_number: str | None
    """E.164; None when withheld: then whoever answers has only what was said."""
    begun_at: datetime
    """UTC; the recording is filed under this day."""
    length_ms: int
    spoken_ms: int
    """How long of it the caller spoke."""
    due_at: datetime
    """UTC: it is to be answered before."""
    purpose: MessagePurpose = "message"
    visit: str | None = None
    """The visit whose conversation a complaint is about; None: none in particular."""
    adviser: str | None = None
    """The adviser in that conversation."""


class FaxSent(Fact, frozen=True, kw_only=True, tag="fax_sent"):
    """Pages were sent, or tried to be, to the fax machine that a caller called from. What stood on them is told nowhere."""

    call_id: str
    document: str
    """Its name in the line file, or the service that wrote it."""
    result: FaxResult
    pages: int
    """Those that the other machine has confirmed."""
    of: int
    """Those that there were to send; 0 when the document could not be read."""
    lasted_ms: int
    way: FaxWay | None
    """None when the two machines never met."""
    bits_per_s: int


class VoiceMessageAnswered(Fact, frozen=True, kw_only=True, tag="voice_message_answered"):
    """Somebody says that the citizen has their answer."""

    call_id: str
    message: str
    adviser: str


class TextQueued(Fact, frozen=True, kw_only=True, tag="text_queued"):
    """A text (短信) to a citizen's telephone is to be sent. What it says and the number are in no fact."""

    call_id: str
    text: str
    """Its name, the same in all that is told of it; the gateway knows it by it too."""
    about: str
    """The service that it is about; `code`: a code by which somebody shows who they are."""
    whose: Whose


class TextTaken(Fact, frozen=True, kw_only=True, tag="text_taken"):
    """The gateway has taken the text; what becomes of it is reported later."""

    call_id: str
    text: str
    tries: int
    """How often it was handed over by the controller that told this."""


class TextEnded(Fact, frozen=True, kw_only=True, tag="text_ended"):
    """What became of the text."""

    call_id: str
    text: str
    outcome: TextOutcome


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


class SeatOffered(Fact, frozen=True, kw_only=True, tag="seat_offered"):
    """A seat was reserved for a caller and rings. `why` says in a few words why this seat; `rexian why` prints all of it."""

    call_id: str
    visit: str
    seat: str
    adviser: str
    generation: int
    why: str
    chosen: Chosen | None = None
    """None in facts of version 1."""
    seats_passed: tuple[PassedOver, ...] = ()
    """The other seats at which somebody sat."""
    callers_passed: tuple[PassedOver, ...] = ()
    """Callers whose turn was before, and whom this seat cannot take."""
    site: str = ""
    """Where the adviser sits."""
    lent_to: str | None = None
    """The site whose call it is, where the adviser's site lends them; None: nobody is lent."""


class SeatDidNotAnswer(Fact, frozen=True, kw_only=True, tag="seat_did_not_answer"):
    """The seat rang in vain; the caller is back at the same place with the first wait."""

    call_id: str
    visit: str
    seat: str
    adviser: str
    reason: NotAnswered
    rang_ms: int


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


class QueueLeft(Fact, frozen=True, kw_only=True, tag="queue_left"):
    """A queue visit ended, one way or another; exactly one for each `QueueEntered`."""

    call_id: str
    visit: str
    outcome: VisitOutcome
    waited_ms: int


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


class RatingKeyed(Fact, frozen=True, kw_only=True, tag="rating_keyed"):
    """The satisfaction question was asked; `score` 1 (bad) to 5 (good), None when not answered."""

    call_id: str
    visit: str
    adviser: str
    score: int | None


class MachineRated(Fact, frozen=True, kw_only=True, tag="machine_rated"):
    """A caller who was served by the machine was asked the satisfaction question; `score` as in `RatingKeyed`."""

    call_id: str
    service: str
    """What had served the caller last."""
    score: int | None


class RatingFollowedUp(Fact, frozen=True, kw_only=True, tag="rating_followed_up"):
    """Whoever had given points was asked the line's second question, too."""

    call_id: str
    visit: str
    """The queue visit that was rated; the call, where it was the machine."""
    question: str
    """The prompt's key."""
    answer: str | None
    """The choice's name; None when not answered."""


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
    skills: dict[str, int] = {}
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


class CallEnded(Fact, frozen=True, kw_only=True, tag="call_ended"):
    """The one terminal row of a call."""

    call_id: str
    outcome: CallOutcome
    ended_by: EndedBy
    lasted_ms: int
    step: str


class SeatStateChanged(Fact, frozen=True, kw_only=True, tag="seat_state_changed"):
    """A seat moved to another state of the one table of seat states."""

    seat: str
    adviser: str | None
    state: SeatState
    reason: str


class AlarmRaised(Fact, frozen=True, kw_only=True, tag="alarm_raised"):
    """Operations should look; `name` stays the same until it is cleared."""

    name: str
    subject: str
    detail: str


class AlarmCleared(Fact, frozen=True, kw_only=True, tag="alarm_cleared"):
    """What the alarm said is over."""

    name: str
    subject: str


class Audited(Fact, frozen=True, kw_only=True, tag="audited"):
    """An entry of the audit log: who did what at the desk, sealed together with the entry before it."""

    number: int
    """In the chain, from 1, without gaps."""
    at: datetime
    """UTC, as the seal has it."""
    did: AuditedAct
    account: str | None
    """Who did it; None: somebody who showed no account or, without an address, somebody at the command line."""
    about: str
    """What it was done to, by its name or number: no data of a person."""
    address: str | None
    """Of the browser, where somebody showed who they are, or tried to."""
    seal: str
    """HMAC-SHA256 over this entry and the seal before it, 64 hexadecimal digits."""


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
    | QueueLeft
    | ConversationEnded
    | RecordingSealed
    | RecordingLost
    | RatingKeyed
    | MachineRated
    | RatingFollowedUp
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
