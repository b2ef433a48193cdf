"""The SQL that writes facts and lays them out for questions: statements that take many rows at once.

A batch runs statement by statement, each for all its facts at once, in the order of STATEMENTS, which is not the order
in which they happened. So every statement either adds a row of its own, or writes columns that no other statement writes
and counts how often it came: then order does not matter. The two exceptions say so.

Rows come as one array a column (`unnest`): one statement for a hundred rows costs PostgreSQL a third of a hundred
statements, and unlike COPY it never waits in the middle for a controller that is gone, with the node's mark locked.
To write another table: add its statement to STATEMENTS, and the case that fills it to projections.py.
"""

from __future__ import annotations

import msgspec
from sqlalchemy import ARRAY
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects.postgresql import JSONB

from cti.store.tables import metadata

_POSTGRES = postgresql.dialect()  # type: ignore[no-untyped-call]  # SQLAlchemy's own signature has no types


class Statement(msgspec.Struct, frozen=True):
    """SQL that takes an array for each of its columns, and writes all their rows at once."""

    sql: str
    keyed: bool = False
    """One row a key, which is the first column: of several the last one counts."""
    counted: bool = False
    """The last column is how many rows of that key there were."""


def _rows(table: str, names: tuple[str, ...]) -> str:
    """A SELECT of these columns of `table` from as many arrays. What is an array or JSON itself comes as JSON text."""
    kinds = {name: metadata.tables[table].c[name].type for name in names}
    whole = {name: isinstance(kind, ARRAY | JSONB) for name, kind in kinds.items()}
    arrays = ", ".join(
        f"${place}::{'text' if whole[name] else kinds[name].compile(_POSTGRES)}[]"
        for place, name in enumerate(names, 1)
    )
    values = [f"{name}::jsonb" if whole[name] else name for name in names]
    for place, name in enumerate(names):
        if isinstance(kinds[name], ARRAY):
            values[place] = f"ARRAY(SELECT jsonb_array_elements_text({values[place]}))"
    return f"SELECT {', '.join(values)} FROM unnest({arrays}) AS given ({', '.join(names)})"


def _upsert(table: str, key: str, *columns: str, count: str | None = None, **unlike: str) -> Statement:
    """Insert the row of `key`, or write these columns of it; `count` says how often this came.

    `unlike`: what becomes of a column of a row that is there, when it is not simply the new value.
    """
    names = (key, *columns)
    new = {column: f"excluded.{column}" for column in columns if column != "call_id"} | unlike
    if count is not None:
        names += (count,)
        new[count] = f"{table}.{count} + excluded.{count}"
    sets = ", ".join(f"{column} = {value}" for column, value in new.items())
    insert = f"INSERT INTO {table} ({', '.join(names)}) {_rows(table, names)}"
    return Statement(f"{insert} ON CONFLICT ({key}) DO UPDATE SET {sets}", keyed=True, counted=count is not None)


def _insert(table: str, *columns: str) -> Statement:
    return Statement(f"INSERT INTO {table} ({', '.join(columns)}) {_rows(table, columns)}")


FACTS = (
    "INSERT INTO facts (node, seq, at, mono_ms, kind, version, call_id, body) "
    "SELECT node, seq, at, mono_ms, fact->>'kind', version, fact->>'call_id', fact FROM jsonb_to_recordset($1::jsonb) "
    "AS given (node text, seq bigint, at timestamptz, mono_ms bigint, version integer, fact jsonb)"
)
"""The facts themselves, as one list in JSON: to take them apart costs the event loop three times as much."""

_BORN = ("trunk", "dialled", "calling_number", "sip_call_id", "arrived_at")
ARRIVED = _upsert("calls", "call_id", "node", "line", "line_version", *_BORN, count="arrivals")
CALLING_BACK = _upsert(
    "calls",
    "call_id",
    "node",
    "callback_of",
    "line",
    "line_version",
    "trunk",
    "calling_number",
    "arrived_at",
    count="arrivals",
)
REFUSED = _upsert("calls", "call_id", "node", "refused_why", *_BORN, count="arrivals")
NOTICE = _upsert(
    "calls",
    "call_id",
    "node",
    "notice",
    "notice_version",
    "notice_language",
    "notice_heard_ms",
    "notice_whole",
)
ENDED = _upsert(
    "calls", "call_id", "node", "outcome", "ended_by", "ended_at", "lasted_ms", "last_step", count="endings"
)
MENU_STEP = _insert("menu_steps", "node", "seq", "call_id", "at", "menu", "attempt", "outcome", "choice", "waited_ms")
SERVED = _insert("service_uses", "node", "seq", "call_id", "at", "service", "about", "outcome", "lasted_ms")
MESSAGE = _upsert(
    "voice_messages",
    "message",
    "call_id",
    "line",
    "about",
    "calling_number",
    "left_at",
    "length_ms",
    "spoken_ms",
    "due_at",
    "purpose",
    "visit",
    "adviser",
)
MESSAGE_ANSWERED = _upsert("voice_messages", "message", "call_id", "answered_at", "answered_by")
TEXT_QUEUED = _upsert("texts", "text", "call_id", "about", "whose", "queued_at")
TEXT_TAKEN = _upsert("texts", "text", "call_id", "taken_at", "tries")
TEXT_ENDED = _upsert("texts", "text", "call_id", "outcome", "ended_at")
ENTERED = _upsert(
    "queue_visits",
    "visit",
    "call_id",
    "queue",
    "skills",
    "returned",
    "since_ms",
    "place_of",
    "entered_at",
    count="entries",
)
OFFERED = _upsert("queue_visits", "visit", "call_id", "site", "lent_to", count="offers")
NOT_ANSWERED = _upsert("queue_visits", "visit", "call_id", count="not_answered")
ANSWERED = _upsert(
    "queue_visits", "visit", "call_id", "seat", "adviser", "answered_at", "rang_ms", "waited_ms", count="answers"
)
# An answered caller waited until the answer: what SeatAnswered says of the wait stands, whichever comes first.
LEFT = _upsert(
    "queue_visits",
    "visit",
    "call_id",
    "outcome",
    "left_at",
    "waited_ms",
    count="leavings",
    waited_ms="CASE queue_visits.answers WHEN 0 THEN excluded.waited_ms ELSE queue_visits.waited_ms END",
)
NUMBER_SAID = _upsert("queue_visits", "visit", "call_id", "number_said_at")
TALKED = _upsert(
    "queue_visits",
    "visit",
    "call_id",
    "talked_ms",
    "held_ms",
    "talk_ended_at",
    "talk_ended_by",
    "transferred_to",
    count="conversations",
)
SEALED = _upsert(
    "recordings",
    "visit",
    "call_id",
    "at",
    "path",
    "sha256",
    "length_ms",
    "left_dbfs",
    "right_dbfs",
    "left_packets",
    "right_packets",
    "alarms",
)
LOST = _upsert("recordings", "visit", "call_id", "at", "lost_why")
RATED = _upsert("ratings", "visit", "call_id", "at", "adviser", "score")
MACHINE_RATED = _upsert("ratings", "visit", "call_id", "at", "service", "score")
FOLLOWED_UP = _upsert("ratings", "visit", "call_id", "at", "question", "answer")
WRAPPED_UP = _upsert("wrap_ups", "visit", "call_id", "at", "adviser", "category", "topic", "result", "note", "due_at")
CONSULTED = _insert(
    "consultations",
    "node",
    "seq",
    "call_id",
    "visit",
    "at",
    "asked_seat",
    "asked_adviser",
    "outside",
    "outcome",
    "reason",
    "rang_ms",
    "asked_ms",
    "together_ms",
)
# Of a form that is saved: the two are told in this order, and each batch runs WRAPPED_UP first.
CALLED_AS_PROMISED = Statement(
    "UPDATE wrap_ups SET done_at = given.at, done_by_call = given.by_call "
    "FROM unnest($1::text[], $2::timestamptz[], $3::text[]) AS given (visit, at, by_call) "
    "WHERE wrap_ups.visit = given.visit",
    keyed=True,
)
OWED = _upsert(
    "callbacks_owed",
    "call_id",
    "node",
    "owed_at",
    "calling_number",
    "line",
    "why",
    "queue",
    "skills",
    "promised",
    "visit",
)
CALLED_BACK = _upsert(
    "callback_attempts",
    "call_id",
    "callback_of",
    "attempt",
    "at",
    "seat",
    "adviser",
    "reached",
    "reason",
    "rang_ms",
)
# Of what is owed already: the two are told in one commit or much later, and each batch runs OWED first.
OWED_ENDED = Statement(
    "UPDATE callbacks_owed SET outcome = given.outcome, ended_at = given.at, attempts = given.attempts, "
    "endings = endings + 1 "
    "FROM unnest($1::text[], $2::text[], $3::timestamptz[], $4::integer[]) AS given (call_id, outcome, at, attempts) "
    "WHERE callbacks_owed.call_id = given.call_id"
)
SEAT_STATE = _insert("seat_states", "node", "seq", "seat", "adviser", "state", "reason", "since")
AUDITED = _insert("audit", "node", "number", "at", "did", "account", "about", "address", "seal")
ALARM = _insert("alarms", "node", "seq", "name", "subject", "detail", "raised_at")
# Each alarm is over with the first clearing after it, so this runs after ALARM and looks at the numbers.
CLEARED = Statement(
    "UPDATE alarms SET cleared_at = first.at FROM ("
    "SELECT DISTINCT ON (raised.node, raised.seq) raised.node, raised.seq, given.at "
    "FROM alarms AS raised JOIN unnest($1::text[], $2::bigint[], $3::text[], $4::text[], $5::timestamptz[]) "
    "AS given (node, seq, name, subject, at) USING (node, name, subject) "
    "WHERE raised.cleared_at IS NULL AND raised.seq < given.seq ORDER BY raised.node, raised.seq, given.seq"
    ") AS first WHERE (alarms.node, alarms.seq) = (first.node, first.seq)"
)

STATEMENTS = (
    ARRIVED,
    CALLING_BACK,
    REFUSED,
    NOTICE,
    MENU_STEP,
    SERVED,
    MESSAGE,
    MESSAGE_ANSWERED,
    TEXT_QUEUED,
    TEXT_TAKEN,
    TEXT_ENDED,
    ENTERED,
    OFFERED,
    NOT_ANSWERED,
    ANSWERED,
    NUMBER_SAID,
    LEFT,
    TALKED,
    SEALED,
    LOST,
    RATED,
    MACHINE_RATED,
    FOLLOWED_UP,
    WRAPPED_UP,
    CONSULTED,
    CALLED_AS_PROMISED,
    OWED,
    CALLED_BACK,
    OWED_ENDED,
    ENDED,
    SEAT_STATE,
    AUDITED,
    ALARM,
    CLEARED,
)
"""In the order in which a batch runs them."""
