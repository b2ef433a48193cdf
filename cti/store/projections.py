"""From facts to rows: which statements, with which values, bring the tables up to date with one fact.

Every fact goes into `facts`; those that people ask about by SQL also go into a table of their own (statements.py).
To project another fact: add its statement there and its case to `project`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, TypeAlias

import msgspec

from calls.facts import (
    AdviserNumberSaid,
    AlarmCleared,
    AlarmRaised,
    Audited,
    CallArrived,
    CallbackBegun,
    CallbackEnded,
    CallbackOwed,
    CallbackTried,
    CallEnded,
    CallRefused,
    ConsultationEnded,
    ConversationEnded,
    FollowUpDone,
    MachineRated,
    MenuStepTaken,
    NoticeHeard,
    QueueEntered,
    QueueLeft,
    RatingFollowedUp,
    RatingKeyed,
    RecordingLost,
    RecordingSealed,
    SeatAnswered,
    SeatDidNotAnswer,
    SeatOffered,
    SeatStateChanged,
    ServiceUsed,
    Stamped,
    TextEnded,
    TextQueued,
    TextTaken,
    VoiceMessageAnswered,
    VoiceMessageLeft,
    WrappedUp,
)
from cti.store import statements as sql

Row: TypeAlias = tuple[Any, ...]
"""One value for each column of a statement."""

Projected: TypeAlias = tuple[sql.Statement, Row] | None
"""A statement and its values; None for a fact that is kept in `facts` alone."""


_NUL = re.compile(r"(?<!\\)((?:\\\\)*)\\u0000")
"""A NUL as JSON escapes it; not `u0000` behind a backslash that is itself escaped."""


def storable(facts: Sequence[Stamped]) -> tuple[Sequence[Stamped], str]:
    """The facts as PostgreSQL can keep them, and their JSON for FACTS.

    It has no NUL in text, and what the wire brought may: it becomes U+FFFD.
    """
    text = _json(facts)
    if "\\u0000" not in text:
        return facts, text
    text = _NUL.sub("\\1\ufffd", text)
    return msgspec.json.decode(text, type=list[Stamped]), text


def project(stamped: Stamped) -> Projected:
    """What lays this fact out for questions."""
    parts = (_of_a_call, _of_a_visit, _of_what_came_of_it, _of_a_callback, _of_a_message, _of_the_house)
    return next((projected for part in parts if (projected := part(stamped))), None)


def _of_a_call(stamped: Stamped) -> Projected:
    node, at = stamped.node, stamped.at
    projected: Projected = None
    match stamped.fact:
        case CallArrived() as f:
            born = (f.trunk, f.dialled, f.calling_number, f.sip_call_id, at)
            projected = sql.ARRIVED, (f.call_id, node, f.line, f.line_version, *born)
        case CallRefused() as f:
            born = (f.trunk, f.dialled, f.calling_number, f.sip_call_id, at)
            projected = sql.REFUSED, (f.call_id, node, f.reason, *born)
        case NoticeHeard() as f:
            projected = sql.NOTICE, (f.call_id, node, f.notice, f.notice_version, f.language, f.heard_ms, f.whole)
        case MenuStepTaken() as f:
            step = (f.menu, f.attempt, f.outcome, f.choice, f.waited_ms)
            projected = sql.MENU_STEP, (node, stamped.seq, f.call_id, at, *step)
        case ServiceUsed() as f:
            projected = sql.SERVED, (node, stamped.seq, f.call_id, at, f.service, f.about, f.outcome, f.lasted_ms)
        case CallbackOwed() as f:
            needs = (f.queue, _json(f.skills))
            projected = sql.OWED, (f.call_id, node, at, f.calling_number, f.line, f.why, *needs, f.promised, f.visit)
        case CallEnded() as f:
            projected = sql.ENDED, (f.call_id, node, f.outcome, f.ended_by, at, f.lasted_ms, f.step)
    return projected


def _of_a_message(stamped: Stamped) -> Projected:
    at = stamped.at
    projected: Projected = None
    match stamped.fact:
        case VoiceMessageLeft() as f:
            how = (f.line, f.about, f.calling_number, at, f.length_ms, f.spoken_ms, f.due_at)
            projected = sql.MESSAGE, (f.message, f.call_id, *how, f.purpose, f.visit, f.adviser)
        case VoiceMessageAnswered() as f:
            projected = sql.MESSAGE_ANSWERED, (f.message, f.call_id, at, f.adviser)
        case TextQueued() as f:
            projected = sql.TEXT_QUEUED, (f.text, f.call_id, f.about, f.whose, at)
        case TextTaken() as f:
            projected = sql.TEXT_TAKEN, (f.text, f.call_id, at, f.tries)
        case TextEnded() as f:
            projected = sql.TEXT_ENDED, (f.text, f.call_id, f.outcome, at)
    return projected


def _of_a_callback(stamped: Stamped) -> Projected:
    node, at = stamped.node, stamped.at
    projected: Projected = None
    match stamped.fact:
        case CallbackBegun() as f:
            line = (f.line, f.line_version, f.trunk, f.calling_number)
            projected = sql.CALLING_BACK, (f.call_id, node, f.callback_of, *line, at)
        case CallbackTried() as f:
            by = (f.seat, f.adviser, f.reached, f.reason, f.rang_ms)
            projected = sql.CALLED_BACK, (f.call_id, f.callback_of, f.attempt, at, *by)
        case CallbackEnded() as f:
            projected = sql.OWED_ENDED, (f.call_id, f.outcome, at, f.attempts)
    return projected


def _of_a_visit(stamped: Stamped) -> Projected:
    at = stamped.at
    projected: Projected = None
    match stamped.fact:
        case QueueEntered() as f:
            skills = _json(f.skills)
            projected = sql.ENTERED, (f.visit, f.call_id, f.queue, skills, f.returned, f.since_ms, f.place_of, at)
        case SeatOffered() as f:
            projected = sql.OFFERED, (f.visit, f.call_id, f.site, f.lent_to)
        case SeatDidNotAnswer() as f:
            projected = sql.NOT_ANSWERED, (f.visit, f.call_id)
        case SeatAnswered() as f:
            projected = sql.ANSWERED, (f.visit, f.call_id, f.seat, f.adviser, at, f.rang_ms, f.waited_ms)
        case AdviserNumberSaid() as f:
            projected = sql.NUMBER_SAID, (f.visit, f.call_id, at)
        case QueueLeft() as f:
            projected = sql.LEFT, (f.visit, f.call_id, f.outcome, at, f.waited_ms)
        case ConversationEnded() as f:
            parted = (f.talked_ms, f.held_ms, at, f.ended_by, f.transferred_to)
            projected = sql.TALKED, (f.visit, f.call_id, *parted)
        case RecordingSealed() as f:
            heard = (f.left_dbfs, f.right_dbfs, f.left_packets, f.right_packets, _json(f.alarms))
            projected = sql.SEALED, (f.visit, f.call_id, at, f.path, f.sha256, f.length_ms, *heard)
        case RecordingLost() as f:
            projected = sql.LOST, (f.visit, f.call_id, at, f.reason)
    return projected


def _of_what_came_of_it(stamped: Stamped) -> Projected:
    at = stamped.at
    projected: Projected = None
    match stamped.fact:
        case RatingKeyed() as f:
            projected = sql.RATED, (f.visit, f.call_id, at, f.adviser, f.score)
        case MachineRated() as f:
            projected = sql.MACHINE_RATED, (f.call_id, f.call_id, at, f.service, f.score)
        case RatingFollowedUp() as f:
            projected = sql.FOLLOWED_UP, (f.visit, f.call_id, at, f.question, f.answer)
        case ConsultationEnded() as f:
            whom = (f.asked_seat, f.asked_adviser, f.outside)
            came = (f.outcome, f.reason, f.rang_ms, f.asked_ms, f.together_ms)
            projected = sql.CONSULTED, (stamped.node, stamped.seq, f.call_id, f.visit, at, *whom, *came)
        case WrappedUp() as f:
            about = (f.category, f.topic, f.result, f.note, f.due_at)
            projected = sql.WRAPPED_UP, (f.visit, f.call_id, at, f.adviser, *about)
        case FollowUpDone() as f:
            projected = sql.CALLED_AS_PROMISED, (f.visit, at, f.by_call)
    return projected


def _of_the_house(stamped: Stamped) -> Projected:
    node, seq, at = stamped.node, stamped.seq, stamped.at
    projected: Projected = None
    match stamped.fact:
        case SeatStateChanged() as f:
            projected = sql.SEAT_STATE, (node, seq, f.seat, f.adviser, f.state, f.reason, at)
        case AlarmRaised() as f:
            projected = sql.ALARM, (node, seq, f.name, f.subject, f.detail, at)
        case AlarmCleared() as f:
            projected = sql.CLEARED, (node, seq, f.name, f.subject, at)
        case Audited() as f:
            projected = sql.AUDITED, (node, f.number, f.at, f.did, f.account, f.about, f.address, f.seal)
    return projected


def batched(facts: Iterable[Stamped]) -> list[tuple[sql.Statement, list[Row]]]:
    """All that lays these facts out, in the order to run it, each with the values of its columns, row by row."""
    rows: dict[sql.Statement, list[Row]] = {}
    for stamped in facts:
        if projected := project(stamped):
            rows.setdefault(projected[0], []).append(projected[1])
    return [(statement, _folded(statement, rows[statement])) for statement in sql.STATEMENTS if statement in rows]


def _folded(statement: sql.Statement, rows: list[Row]) -> list[Row]:
    if not statement.keyed:
        return rows
    last = {row[0]: row for row in rows}
    if not statement.counted:
        return list(last.values())
    times = Counter(row[0] for row in rows)
    return [(*row, times[key]) for key, row in last.items()]


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
