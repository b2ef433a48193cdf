"""Whom an adviser is to call (待回电): those to whom they promised it when they wrote a conversation down, and those who left a
voice message that they can answer.

A promise is its adviser's own; a voice message is shown to all whose skills its queue asks for, and is gone for all once one of
them has answered. A complaint is not for advisers: it may be about them. What is promised is kept with the journal like the
forms, so it needs no database and outlives every controller. It is done when the citizen was reached and that conversation
was written down, whatever came of it (a new promise takes the place of the old one), or when the adviser says so.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING, Literal

import msgspec

from calls.clock import Clock
from calls.errors import NotPossible
from calls.facts import FollowUpDone, VoiceMessageLeft, WrappedUp
from calls.ports import FactSink
from cti.hotline import Hotline
from cti.messages import Messages
from cti.store import Journal

if TYPE_CHECKING:
    from cti.desk.feed import Form

_PREFIX = "followup/"


class FollowUp(msgspec.Struct, frozen=True, kw_only=True):
    """One call that an adviser is to make. Instants are UTC."""

    id: str
    """The visit in whose conversation it was promised; of a voice message, its name."""
    kind: Literal["promise", "message"]
    call_id: str
    """The call in which it came to be owed."""
    adviser: str | None
    """Who promised it; null: a voice message, which whoever can may answer."""
    number: str | None
    """Whom to call, E.164; null when withheld. Personal data."""
    line: str
    queue: str | None
    """Where the citizen waited; null: nowhere, or it is not known."""
    topic: str
    """What it was about: the form's topic; of a voice message, the menu's choice or the queue that led there."""
    note: str
    since: datetime
    due_at: datetime

    def __repr__(self) -> str:
        return f"FollowUp({self.id!r}, ...)"


class FollowUps:
    """All that is owed by the advisers of one controller."""

    def __init__(
        self,
        facts: FactSink,
        journal: Journal,
        clock: Clock,
        messages: Callable[[], Messages],
        hotline: Callable[[], Hotline],
    ) -> None:
        self._facts, self._journal, self._clock = facts, journal, clock
        self._messages, self._hotline = messages, hotline
        self._promised = {owed.id: owed for owed in journal.find(_PREFIX, FollowUp).values()}

    def of(self, adviser: str) -> list[FollowUp]:
        """What this adviser is to do, what is due first before all else."""
        mine = [owed for owed in self._promised.values() if owed.adviser == adviser]
        hotline = self._hotline()
        mine += [_of_message(left, hotline) for left in self._messages().open() if _takes(adviser, left, hotline)]
        return sorted(mine, key=lambda owed: owed.due_at)

    def find(self, adviser: str, follow_up: str) -> FollowUp:
        """Raises NotPossible when this adviser owes no such call."""
        found = next((owed for owed in self.of(adviser) if owed.id == follow_up), None)
        if found is None:
            raise NotPossible(
                "you owe no such call: it is done, or somebody else's. Mend: choose one of your list of calls to make"
            )
        return found

    def done(self, adviser: str, follow_up: str, by_call: str | None = None) -> None:
        """It is over: by the call in which the citizen was reached; None: the adviser says so. Raises NotPossible as `find`."""
        owed = self.find(adviser, follow_up)
        if owed.kind == "message":
            self._messages().answered(owed.id, adviser)
            return
        with self._journal.together():
            self._facts.record(
                FollowUpDone(call_id=owed.call_id, visit=owed.id, adviser=adviser, by_call=by_call),
            )
            self._journal.forget(_PREFIX + owed.id)
            del self._promised[owed.id]

    def wrapped_up(self, form: Form, wrapped: WrappedUp) -> None:
        """A conversation is written down, in this commit: what it was called for is done, and what it promised is owed."""
        with self._journal.together():
            if form.follow_up:
                with suppress(NotPossible):  # the adviser has said so already
                    self.done(form.adviser, form.follow_up, form.call_id)
            if wrapped.due_at is None:
                return
            owed = FollowUp(
                id=form.visit,
                kind="promise",
                call_id=form.call_id,
                adviser=form.adviser,
                number=form.number,
                line=form.line,
                queue=form.queue,
                topic=wrapped.topic,
                note=wrapped.note,
                since=self._clock.utc(),
                due_at=wrapped.due_at,
            )
            self._promised[owed.id] = owed
            self._journal.put(_PREFIX + owed.id, owed)


def _takes(adviser: str, left: VoiceMessageLeft, hotline: Hotline) -> bool:
    """Whether a voice message is one for this adviser, by the skills that its queue asks for."""
    known = hotline.advisers.get(adviser)
    if left.purpose != "message" or known is None:
        return False
    line = hotline.lines.get(left.line)
    queue = line.queues.get(left.about) if line else None
    asked = queue.skills if queue else {}
    return all(known.skills.get(skill, 0) >= level for skill, level in asked.items())


def _of_message(left: VoiceMessageLeft, hotline: Hotline) -> FollowUp:
    line = hotline.lines.get(left.line)
    return FollowUp(
        id=left.message,
        kind="message",
        call_id=left.call_id,
        adviser=None,
        number=left.calling_number,
        line=left.line,
        queue=left.about if line and left.about in line.queues else None,
        topic=left.about,
        note="",
        since=left.begun_at,
        due_at=left.due_at,
    )
