"""From facts to rows: which statements, with which values, bring the tables up to date with one fact.

Every fact goes into `facts`; those that people ask about by SQL also go into a table of their own. A batch runs statement
by statement, each for all its facts at once, in the order of STATEMENTS, which is not the order in which they happened.
So every statement either adds a row of its own, or writes columns that no other statement writes and counts how often it
came: then order does not matter. The two exceptions say so.

To project another fact: add its statement to STATEMENTS and its case to `project`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeAlias

import msgspec

from calls.facts import (
    AdviserNumberSaid,
    AlarmCleared,
    AlarmRaised,
    CallArrived,
    CallbackOwed,
    CallEnded,
    CallRefused,
    ConversationEnded,
    MenuStepTaken,
    NoticeHeard,
    QueueEntered,
    QueueLeft,
    RatingKeyed,
    RecordingLost,
    RecordingSealed,
    SeatAnswered,
    SeatDidNotAnswer,
    SeatOffered,
    SeatStateChanged,
    Stamped,
    kind_of,
)

Row: TypeAlias = tuple[Any, ...]
"""Values for one run of a statement: what asyncpg encodes."""

Projected: TypeAlias = tuple[str, Row] | None
"""A statement, of STATEMENTS, and its values; None for a fact that is kept in `facts` alone."""


def _upsert(table: str, key: str, *columns: str, count: str | None = None) -> str:
    """Insert the row of `key`, or write these columns of it; `count` says how often this came."""
    names = (key, *columns)
    values = ", ".join(f"${place}" for place in range(1, len(names) + 1))
    sets = [f"{column} = excluded.{column}" for column in columns if column != "call_id"]
    if count is None:
        return f"INSERT INTO {table} ({', '.join(names)}) VALUES ({values}) ON CONFLICT ({key}) DO UPDATE SET {', '.join(sets)}"
    sets.append(f"{count} = {table}.{count} + 1")
    return (
        f"INSERT INTO {table} ({', '.join(names)}, {count}) VALUES ({values}, 1) "
        f"ON CONFLICT ({key}) DO UPDATE SET {', '.join(sets)}"
    )


def _insert(table: str, *columns: str) -> str:
    values = ", ".join(f"${place}" for place in range(1, len(columns) + 1))
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({values})"


FACT_COLUMNS = ("node", "seq", "at", "mono_ms", "kind", "version", "call_id", "body")

_BORN = ("trunk", "dialled", "calling_number", "sip_call_id", "arrived_at")
ARRIVED = _upsert("calls", "call_id", "node", "line", "line_version", *_BORN, count="arrivals")
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
ENTERED = _upsert(
    "queue_visits",
    "visit",
    "call_id",
    "queue",
    "skills",
    "returned",
    "since_ms",
    "entered_at",
    count="entries",
)
OFFERED = _upsert("queue_visits", "visit", "call_id", count="offers")
NOT_ANSWERED = _upsert("queue_visits", "visit", "call_id", count="not_answered")
ANSWERED = _upsert(
    "queue_visits", "visit", "call_id", "seat", "adviser", "answered_at", "rang_ms", "waited_ms", count="answers"
)
# An answered caller waited until the answer: what SeatAnswered says of the wait stands, whichever comes first.
LEFT = _upsert("queue_visits", "visit", "call_id", "outcome", "left_at", "waited_ms", count="leavings").replace(
    "waited_ms = excluded.waited_ms",
    "waited_ms = CASE queue_visits.answers WHEN 0 THEN excluded.waited_ms ELSE queue_visits.waited_ms END",
)
NUMBER_SAID = _upsert("queue_visits", "visit", "call_id", "number_said_at")
TALKED = _upsert(
    "queue_visits", "visit", "call_id", "talked_ms", "talk_ended_at", "talk_ended_by", count="conversations"
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
)
SEAT_STATE = _insert("seat_states", "node", "seq", "seat", "adviser", "state", "reason", "since")
ALARM = _insert("alarms", "node", "seq", "name", "subject", "detail", "raised_at")
# Clears what was raised before it, so it runs after ALARM and looks at the numbers.
CLEARED = (
    "UPDATE alarms SET cleared_at = $5 "
    "WHERE node = $1 AND seq < $2 AND name = $3 AND subject = $4 AND cleared_at IS NULL"
)

STATEMENTS = (
    ARRIVED,
    REFUSED,
    NOTICE,
    MENU_STEP,
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
    OWED,
    ENDED,
    SEAT_STATE,
    ALARM,
    CLEARED,
)
"""In the order in which a batch runs them."""


def fact_row(stamped: Stamped) -> Row:
    """The fact itself, as FACT_COLUMNS."""
    fact = stamped.fact
    call_id = getattr(fact, "call_id", None)
    body = msgspec.json.encode(fact).decode()
    return (
        stamped.node,
        stamped.seq,
        stamped.at,
        stamped.mono_ms,
        kind_of(fact),
        stamped.version,
        _storable(call_id) if call_id else None,
        body.replace("\\u0000", "\\ufffd"),
    )


def project(stamped: Stamped) -> Projected:
    """What lays this fact out for questions."""
    return _of_a_call(stamped) or _of_a_visit(stamped) or _of_the_house(stamped)


def _of_a_call(stamped: Stamped) -> Projected:
    node, at = stamped.node, stamped.at
    projected: Projected = None
    match stamped.fact:
        case CallArrived() as f:
            born = (f.trunk, f.dialled, f.calling_number, f.sip_call_id, at)
            projected = ARRIVED, (f.call_id, node, f.line, f.line_version, *born)
        case CallRefused() as f:
            born = (f.trunk, f.dialled, f.calling_number, f.sip_call_id, at)
            projected = REFUSED, (f.call_id, node, f.reason, *born)
        case NoticeHeard() as f:
            projected = NOTICE, (f.call_id, node, f.notice, f.notice_version, f.language, f.heard_ms, f.whole)
        case MenuStepTaken() as f:
            step = (f.menu, f.attempt, f.outcome, f.choice, f.waited_ms)
            projected = MENU_STEP, (node, stamped.seq, f.call_id, at, *step)
        case CallbackOwed() as f:
            needs = (f.queue, msgspec.json.encode(f.skills).decode())
            projected = OWED, (f.call_id, node, at, f.calling_number, f.line, f.why, *needs, f.promised)
        case CallEnded() as f:
            projected = ENDED, (f.call_id, node, f.outcome, f.ended_by, at, f.lasted_ms, f.step)
    return projected


def _of_a_visit(stamped: Stamped) -> Projected:
    at = stamped.at
    projected: Projected = None
    match stamped.fact:
        case QueueEntered() as f:
            skills = msgspec.json.encode(f.skills).decode()
            projected = ENTERED, (f.visit, f.call_id, f.queue, skills, f.returned, f.since_ms, at)
        case SeatOffered() as f:
            projected = OFFERED, (f.visit, f.call_id)
        case SeatDidNotAnswer() as f:
            projected = NOT_ANSWERED, (f.visit, f.call_id)
        case SeatAnswered() as f:
            projected = ANSWERED, (f.visit, f.call_id, f.seat, f.adviser, at, f.rang_ms, f.waited_ms)
        case AdviserNumberSaid() as f:
            projected = NUMBER_SAID, (f.visit, f.call_id, at)
        case QueueLeft() as f:
            projected = LEFT, (f.visit, f.call_id, f.outcome, at, f.waited_ms)
        case ConversationEnded() as f:
            projected = TALKED, (f.visit, f.call_id, f.talked_ms, at, f.ended_by)
        case RecordingSealed() as f:
            levels = (f.left_dbfs, f.right_dbfs, f.left_packets, f.right_packets)
            projected = SEALED, (f.visit, f.call_id, at, f.path, f.sha256, f.length_ms, *levels, list(f.alarms))
        case RecordingLost() as f:
            projected = LOST, (f.visit, f.call_id, at, f.reason)
        case RatingKeyed() as f:
            projected = RATED, (f.visit, f.call_id, at, f.adviser, f.score)
    return projected


def _of_the_house(stamped: Stamped) -> Projected:
    node, seq, at = stamped.node, stamped.seq, stamped.at
    projected: Projected = None
    match stamped.fact:
        case SeatStateChanged() as f:
            projected = SEAT_STATE, (node, seq, f.seat, f.adviser, f.state, f.reason, at)
        case AlarmRaised() as f:
            projected = ALARM, (node, seq, f.name, f.subject, f.detail, at)
        case AlarmCleared() as f:
            projected = CLEARED, (node, seq, f.name, f.subject, at)
    return projected


def batched(facts: Iterable[Stamped]) -> list[tuple[str, list[Row]]]:
    """All statements of these facts with their rows, in the order to run them."""
    rows: dict[str, list[Row]] = {}
    for stamped in facts:
        if projected := project(stamped):
            statement, row = projected
            rows.setdefault(statement, []).append(tuple(map(_storable, row)))
    return [(statement, rows[statement]) for statement in STATEMENTS if statement in rows]


def _storable(value: Any) -> Any:
    """PostgreSQL has no NUL in text; what the wire brought may: it becomes U+FFFD, in the row as in the fact's body."""
    return value.replace("\0", "\ufffd") if isinstance(value, str) else value
