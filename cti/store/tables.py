"""The tables that people ask by SQL, as SQLAlchemy Core; the migrations build them, and a test proves both the same.

`facts` is the truth: every fact, whole. The others are the same facts laid out for questions, written in the same
transaction (see projections.py); they can be thrown away and computed again. Columns that count (`arrivals`, `endings`,
...) say how often a fact came that must come once: the view `conservation_violations` reads them.
All instants are `timestamptz`; durations are milliseconds, as the monotonic clock measured them.

To add a table: add it here with a comment on it and on each column, a migration, its projection, a line in docs/sql.md.
"""

from __future__ import annotations

from typing import Any, TypeAlias

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Float,
    Index,
    Integer,
    MetaData,
    SmallInteger,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.sql.type_api import TypeEngine

metadata = MetaData()

_Kind: TypeAlias = type[TypeEngine[Any]] | TypeEngine[Any]


def _key(name: str, kind: _Kind, comment: str) -> Column[object]:
    return Column(name, kind, primary_key=True, autoincrement=False, comment=comment)


def _must(name: str, kind: _Kind, comment: str) -> Column[object]:
    return Column(name, kind, nullable=False, comment=comment)


def _may(name: str, kind: _Kind, comment: str) -> Column[object]:
    return Column(name, kind, nullable=True, comment=comment)


def _at(name: str, comment: str, *, must: bool = False) -> Column[object]:
    return Column(name, DateTime(timezone=True), nullable=not must, comment=comment)


def _count(name: str, comment: str) -> Column[object]:
    return Column(name, SmallInteger, nullable=False, server_default=text("0"), comment=comment)


nodes = Table(
    "nodes",
    metadata,
    _key("node", Text, "The node's name"),
    _must("journal", Text, "Which journal file these facts came from; another one under this name is refused"),
    _must("first_seq", BigInteger, "Sequence number of the first fact that arrived here"),
    _must("last_seq", BigInteger, "High-water mark: facts up to this one are in the table facts"),
    _must("facts", BigInteger, "How many facts have arrived: last_seq - first_seq + 1 when none is missing"),
    _at("shipped_at", "When the last facts arrived", must=True),
    comment="One row a node: how much of its history has arrived",
)

facts = Table(
    "facts",
    metadata,
    _key("node", Text, "The node whose journal wrote it"),
    _key("seq", BigInteger, "Its number in that journal, from 1, without gaps"),
    _at("at", "When it happened, by the clock on the wall", must=True),
    _must("mono_ms", BigInteger, "When it happened, milliseconds since that machine started: subtract these"),
    _must("kind", Text, "What happened, in the past tense"),
    _must("version", Integer, "Version of the shape of body"),
    _may("call_id", Text, "The call it belongs to; null when to none"),
    _must("body", JSONB, "The fact itself"),
    Index("facts_by_call", "call_id", "mono_ms", postgresql_where=text("call_id IS NOT NULL")),
    Index("facts_by_kind", "kind", "at"),
    comment="Everything that happened, once and for good; every figure is computed from here",
)

calls = Table(
    "calls",
    metadata,
    _key("call_id", Text, "Asterisk's unique id of the caller's channel: joins with its call records"),
    _must("node", Text, "The node that took the call"),
    _may("line", Text, "The hotline number whose menu the caller heard; null when refused"),
    _may("line_version", Text, "Version of the line file"),
    _may("trunk", Text, "Where the call came in"),
    _may("dialled", Text, "The number that was dialled"),
    _may("calling_number", Text, "E.164; null when withheld or not a number. Personal data"),
    _may("sip_call_id", Text, "Call-ID of the SIP dialogue"),
    _at("arrived_at", "When the call arrived"),
    _may("refused_why", Text, "Why it was turned away; null when it was not"),
    _may(
        "callback_of", Text, "Not an arrival, but our attempt to call back whoever made this call; null for all others"
    ),
    _may("notice", Text, "The legal notice that was played last"),
    _may("notice_version", Text, "Its version"),
    _may("notice_language", Text, "Its language"),
    _may("notice_heard_ms", Integer, "How much of it was heard"),
    _may("notice_whole", Boolean, "Whether that was all of it"),
    _may("outcome", Text, "Where it ended up; null while the call is up. queued: offered to a queue"),
    _may("ended_by", Text, "Who ended it: caller, seat, system, fault"),
    _at("ended_at", "When it ended"),
    _may("lasted_ms", BigInteger, "From arrival to end"),
    _may("last_step", Text, "What the caller was at when it ended"),
    _count("arrivals", "Facts that say it arrived: 1"),
    _count("endings", "Facts that say it ended: 0 or 1"),
    Index("calls_by_arrival", "arrived_at"),
    Index("calls_by_number", "calling_number", "arrived_at"),
    Index("calls_back", "callback_of", postgresql_where=text("callback_of IS NOT NULL")),
    Index("calls_still_up", "arrived_at", postgresql_where=text("ended_at IS NULL")),
    comment="One row a call",
)

queue_visits = Table(
    "queue_visits",
    metadata,
    _key("visit", Text, "The visit's own id"),
    _must("call_id", Text, "The call"),
    _may("queue", Text, "The queue's name"),
    _may("skills", JSONB, "What the adviser had to be able to do: skill -> level 1 to 5"),
    _may("returned", Boolean, "The caller had waited before and kept that place"),
    _may("since_ms", BigInteger, "The monotonic instant that decided the turn"),
    _may("place_of", Text, "The visit of an earlier call whose place this caller was given back; null otherwise"),
    _at("entered_at", "When the caller began to wait"),
    _count("offers", "How many seats were rung for it"),
    _count("not_answered", "How many of them did not answer"),
    _may("site", Text, "Where the adviser sits to whom it was offered last; empty when the file says no site"),
    _may("lent_to", Text, "The site whose call it is, when that adviser's site lent them; null otherwise"),
    _may("seat", Text, "The seat that answered"),
    _may("adviser", Text, "The adviser's number"),
    _at("answered_at", "When the seat answered"),
    _may("rang_ms", Integer, "How long that seat rang"),
    _at("number_said_at", "When the caller heard the adviser's number"),
    _may("outcome", Text, "How the visit ended; null while the caller waits"),
    _at("left_at", "When the caller left the queue, to a seat or otherwise"),
    _may(
        "waited_ms",
        BigInteger,
        "From the first wait, in whichever call it began, to the answer or to leaving without one",
    ),
    _may("talked_ms", BigInteger, "How long adviser and caller were connected"),
    _may("held_ms", BigInteger, "Of these, how long the caller was on hold"),
    _at("talk_ended_at", "When they were parted"),
    _may("transferred_to", Text, "The queue that the adviser passed the caller on to; null: they did not"),
    _may("talk_ended_by", Text, "Who ended the conversation: caller, seat, system, fault"),
    _count("entries", "Facts that say it began: 1"),
    _count("answers", "Facts that say a seat answered: 0 or 1"),
    _count("leavings", "Facts that say it ended: 0 or 1"),
    _count("conversations", "Facts that say the conversation ended: 0 or 1"),
    Index("queue_visits_by_call", "call_id"),
    Index("queue_visits_by_queue", "queue", "entered_at"),
    Index("queue_visits_by_time", "entered_at"),
    Index("queue_visits_by_adviser", "adviser", "answered_at", postgresql_where=text("adviser IS NOT NULL")),
    Index("queue_visits_open", "queue", postgresql_where=text("left_at IS NULL")),
    comment="One row for each time a caller waited in a queue",
)

consultations = Table(
    "consultations",
    metadata,
    _key("node", Text, "The node whose controller told it"),
    _key("seq", BigInteger, "Number of the fact"),
    _must("call_id", Text, "The call"),
    _must("visit", Text, "The queue visit in whose conversation it was"),
    _at("at", "When it was over", must=True),
    _may("asked_seat", Text, "The seat that was asked; null: somebody outside"),
    _may("asked_adviser", Text, "The adviser's number there"),
    _may("outside", Text, "The name of whoever is outside, as the setting `outside` has it; null: a seat was asked"),
    _must(
        "outcome",
        Text,
        "handed_over: the caller went on with whoever was asked; taken_back, left, not_answered, caller_left, "
        "conversation_ended, interrupted",
    ),
    _may("reason", Text, "Of not_answered: no_answer, busy, unreachable, refused"),
    _may("rang_ms", BigInteger, "How long it rang there"),
    _may("asked_ms", BigInteger, "How long the two spoke without the caller, who heard music"),
    _may("together_ms", BigInteger, "How long all three spoke"),
    Index("consultations_by_call", "call_id"),
    Index("consultations_by_time", "at"),
    comment="One row for each time an adviser asked somebody else about a call, or a team lead took one over",
)

seat_states = Table(
    "seat_states",
    metadata,
    _key("node", Text, "The node whose controller moved the seat"),
    _key("seq", BigInteger, "Number of the fact"),
    _must("seat", Text, "The seat"),
    _may("adviser", Text, "The adviser's number; null when nobody is signed in"),
    _must("state", Text, "logged_out, not_ready, ready, reserved, ringing, calling, talking, wrap_up"),
    _must("reason", Text, "Why it moved"),
    _at("since", "From when on; the seat's next row says until when", must=True),
    Index("seat_states_by_seat", "seat", "since"),
    Index("seat_states_by_adviser", "adviser", "since", postgresql_where=text("adviser IS NOT NULL")),
    comment="One row for each move of a seat from state to state; view seat_spells has the durations",
)

menu_steps = Table(
    "menu_steps",
    metadata,
    _key("node", Text, "The node that took the call"),
    _key("seq", BigInteger, "Number of the fact"),
    _must("call_id", Text, "The call"),
    _at("at", "When", must=True),
    _must("menu", Text, "The menu"),
    _must("attempt", SmallInteger, "Which try, from 1"),
    _must("outcome", Text, "chosen, wrong, missing, again, back, person, gave_up"),
    _may("choice", Text, "The option's name; never a key"),
    _must("waited_ms", Integer, "From the end of the question to the answer"),
    Index("menu_steps_by_call", "call_id"),
    Index("menu_steps_by_menu", "menu", "at"),
    comment="One row for each answer, or none, that a caller gave to a menu",
)

service_uses = Table(
    "service_uses",
    metadata,
    _key("node", Text, "The node that took the call"),
    _key("seq", BigInteger, "Number of the fact"),
    _must("call_id", Text, "The call"),
    _at("at", "When it ended", must=True),
    _must("service", Text, "Its name; say: an announcement"),
    _must("about", Text, "The menu's choice or the queue that led there"),
    _must(
        "outcome",
        Text,
        "done, gave_up, not_identified, refused, unavailable, unknown: nobody knows if it is done, hung_up",
    ),
    _must("lasted_ms", BigInteger, "From its first word to its end"),
    Index("service_uses_by_call", "call_id"),
    Index("service_uses_by_service", "service", "at"),
    comment="One row for each time a caller was served by the machine",
)

voice_messages = Table(
    "voice_messages",
    metadata,
    _key("message", Text, "Its name; recordings.visit"),
    _must("call_id", Text, "The call"),
    _may("line", Text, "The hotline number that was called"),
    _may("about", Text, "The menu's choice or the queue that led there"),
    _may("calling_number", Text, "E.164; null when withheld. Personal data"),
    _at("left_at", "When it was left"),
    _may("length_ms", BigInteger, "How long it is"),
    _may("spoken_ms", BigInteger, "How long the caller spoke; 0 when a dead controller could not hear it"),
    _at("due_at", "It was promised an answer by then"),
    _may("purpose", Text, "message, or complaint: a complaint or a suggestion"),
    _may("visit", Text, "The queue visit whose conversation a complaint is about; null: none in particular"),
    _may("adviser", Text, "The number of the adviser in that conversation"),
    _at("answered_at", "When somebody said that it is answered; null while open"),
    _may("answered_by", Text, "That adviser's number"),
    Index("voice_messages_by_time", "left_at"),
    Index("voice_messages_by_number", "calling_number", "left_at"),
    Index("voice_messages_open", "due_at", postgresql_where=text("answered_at IS NULL")),
    comment="One row for each voice message, and whether its promise was kept",
)

texts = Table(
    "texts",
    metadata,
    _key("text", Text, "Its name; the gateway knows it by it too"),
    _must("call_id", Text, "The call"),
    _may("about", Text, "The service that it is about; code: a code by which somebody shows who they are"),
    _may("whose", Text, "bound: to the telephone that the account is bound to; calling: to the one that called"),
    _at("queued_at", "When it was promised"),
    _at("taken_at", "When the gateway took it; null while it did not"),
    _may("tries", Integer, "How often it was handed over"),
    _may(
        "outcome",
        Text,
        "delivered, undeliverable, refused, too_late, unreported: no word from the gateway, lost; null while open",
    ),
    _at("ended_at", "When that was known"),
    Index("texts_by_time", "queued_at"),
    Index("texts_by_call", "call_id"),
    comment="One row for each text to a citizen's telephone, and what became of it; never what it says, nor to which number",
)

recordings = Table(
    "recordings",
    metadata,
    _key("visit", Text, "The queue visit whose conversation it is, or the voice message"),
    _must("call_id", Text, "The call"),
    _at("at", "When it was sealed, or found lost", must=True),
    _may("path", Text, "The file, below the folder of recordings; null when lost"),
    _may("sha256", Text, "Of the file, hexadecimal"),
    _may("length_ms", BigInteger, "Length of the sound"),
    _may("left_dbfs", Float, "Level of the caller's channel, dBFS; null when it is silent"),
    _may("right_dbfs", Float, "Level of the adviser's channel, dBFS; null when it is silent"),
    _may("left_packets", BigInteger, "RTP packets received from the caller"),
    _may("right_packets", BigInteger, "RTP packets received from the adviser"),
    _may("alarms", ARRAY(Text()), "What is wrong with it; empty when nothing is"),
    _may("lost_why", Text, "Why there is no recording; null when there is one"),
    Index("recordings_by_call", "call_id"),
    Index("recordings_by_time", "at"),
    comment="One row for each conversation: its two-channel file (caller left, adviser right), or why there is none; "
    "and for each voice message, which has one channel",
)

ratings = Table(
    "ratings",
    metadata,
    _key("visit", Text, "The queue visit that was rated; the call, where it was the machine"),
    _must("call_id", Text, "The call"),
    _at("at", "When", must=True),
    _may("adviser", Text, "The adviser's number; null where it was the machine"),
    _may("service", Text, "What the machine had done last, where it was rated; null where it was an adviser"),
    _may("score", SmallInteger, "1 (bad) to 5 (good); null when asked and not answered"),
    _may("question", Text, "The second question, by its prompt; null when not asked"),
    _may("answer", Text, "The name of the answer to it; null when not answered"),
    Index("ratings_by_adviser", "adviser", "at"),
    comment="One row for each time the satisfaction question was asked",
)

wrap_ups = Table(
    "wrap_ups",
    metadata,
    _key("visit", Text, "The queue visit whose conversation it is"),
    _must("call_id", Text, "The call"),
    _at("at", "When it was saved", must=True),
    _may("adviser", Text, "The adviser's number"),
    _may("category", Text, "The category of the centre's own table"),
    _may("topic", Text, "The topic there"),
    _may(
        "result",
        Text,
        "answered, to_call_back, passed_on: to somebody else, unresolved, no_question: nothing was asked",
    ),
    _may("note", Text, "In the adviser's own words. Personal data"),
    _at("due_at", "By when a call back was promised; null: none was"),
    _at("done_at", "When that call was made, or needed not be made any more; null while it is owed"),
    _may("done_by_call", Text, "The call in which the citizen was reached; null: the adviser said that it is done"),
    Index("wrap_ups_by_call", "call_id"),
    Index("wrap_ups_by_time", "at"),
    Index("wrap_ups_due", "due_at", postgresql_where=text("due_at IS NOT NULL")),
    comment="One row for each conversation that its adviser has written down",
)

callbacks_owed = Table(
    "callbacks_owed",
    metadata,
    _key("call_id", Text, "The call whose caller is owed it"),
    _must("node", Text, "The node that it was on"),
    _at("owed_at", "When the hotline came to owe it", must=True),
    _may("calling_number", Text, "Whom to call, E.164; null when withheld: nobody can be called. Personal data"),
    _must("line", Text, "The hotline number that was called"),
    _must(
        "why",
        Text,
        "asterisk_died: the call was dropped; too_many_calls: turned away; asked: the caller's wish; gave_up: hung up; "
        "redial: their adviser called at once; follow_up: an adviser called as promised",
    ),
    _may("queue", Text, "The queue that the caller had come to; null before any"),
    _must("skills", JSONB, "What the adviser has to be able to do: skill -> level 1 to 5; empty before any queue"),
    _must("promised", Boolean, "The caller was told to expect it"),
    _may("visit", Text, "The queue visit whose place is kept; null before any queue"),
    _may(
        "outcome",
        Text,
        "kept, not_reached: tried in vain as often as may be, rang_again: its caller was quicker, too_late; null while open",
    ),
    _at("ended_at", "When it was over"),
    _may("attempts", Integer, "How often the citizen was rung"),
    _count("endings", "Facts that say it is over: 0 or 1"),
    Index("callbacks_owed_by_time", "owed_at"),
    Index("callbacks_owed_by_number", "calling_number", "owed_at"),
    Index("callbacks_owed_open", "owed_at", postgresql_where=text("ended_at IS NULL")),
    comment="One row for each caller who is to be called back: dropped, turned away, or by their own wish",
)

callback_attempts = Table(
    "callback_attempts",
    metadata,
    _key("call_id", Text, "The call that we made"),
    _must("callback_of", Text, "The call whose caller was owed it"),
    _must("attempt", Integer, "From 1"),
    _at("at", "When the citizen was reached, or given up", must=True),
    _must("seat", Text, "The seat that made it"),
    _must("adviser", Text, "The adviser's number"),
    _must("reached", Boolean, "The citizen answered"),
    _may("reason", Text, "Why not: no_answer, busy, refused, unreachable, adviser_left; null when reached"),
    _must("rang_ms", Integer, "How long the citizen's telephone rang, while the adviser waited"),
    Index("callback_attempts_of", "callback_of"),
    Index("callback_attempts_by_time", "at"),
    comment="One row for each time that a citizen was called back",
)

alarms = Table(
    "alarms",
    metadata,
    _key("node", Text, "The node that raised it"),
    _key("seq", BigInteger, "Number of the fact"),
    _must("name", Text, "What kind of alarm"),
    _must("subject", Text, "What it is about"),
    _must("detail", Text, "In words"),
    _at("raised_at", "When it was raised", must=True),
    _at("cleared_at", "When it was over; null while it is not"),
    Index("alarms_open", "name", "subject", postgresql_where=text("cleared_at IS NULL")),
    Index("alarms_by_time", "raised_at"),
    comment="What operations should look at, and when it was over",
)

audit = Table(
    "audit",
    metadata,
    _key("node", Text, "The node whose log it is"),
    _key("number", BigInteger, "Its number in that log, from 1, without gaps"),
    _at("at", "When it was done", must=True),
    _must("did", Text, "What was done"),
    _may("account", Text, "Who did it; null: nobody's account or, without an address, the command line"),
    _must("about", Text, "What it was done to"),
    _may("address", Text, "Of the browser, where somebody showed who they are, or tried to"),
    _must(
        "seal", Text, "HMAC-SHA256 over this entry and the seal before it; rexian audit holds them against each other"
    ),
    Index("audit_by_account", "account", "at"),
    comment="Who did what at the desk: append only, each entry sealed with the one before it",
)

local_time = Table(
    "local_time",
    metadata,
    Column("one", Boolean, primary_key=True, server_default=text("true"), comment="There is one row"),
    _must("zone", Text, "IANA name of the time zone of days and half hours"),
    comment="The time zone of all figures, from the setting time_zone; set anew by each migration run",
)
