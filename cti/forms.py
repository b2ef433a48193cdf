"""What an adviser writes down of a conversation (话后处理): begun when they begin to talk, kept at each keystroke, told once.

A form belongs to the adviser, not to the seat or the page: one that the next call overtook waits until it is saved. It is
kept with the journal, so that neither a page that is closed nor a controller that dies loses a word.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Annotated, Literal

import msgspec

from calls.clock import Clock
from calls.errors import NotPossible
from calls.facts import WrappedUp
from calls.ports import FactSink
from calls.words import WrapUpResult
from cti.categories import Category
from cti.desk.feed import CallNow, Feed, Form
from cti.followups import FollowUps
from cti.store import Journal

LONGEST_PROMISE = timedelta(days=30)
"""Nobody remembers a promise for longer."""


MOST_OPEN = 50
"""Of one adviser; whoever never writes anything down does not fill the journal."""


class Draft(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is written so far; empty: not yet."""

    category: Annotated[str, msgspec.Meta(max_length=40)] = ""
    topic: Annotated[str, msgspec.Meta(max_length=40)] = ""
    result: WrapUpResult | Literal[""] = ""
    note: Annotated[str, msgspec.Meta(max_length=2000)] = ""
    due_at: Annotated[datetime, msgspec.Meta(tz=True)] | None = None
    """By when the citizen was promised a call back."""

    def __repr__(self) -> str:
        return f"Draft({self.category!r}, {self.topic!r}, {self.result!r}, ...)"


class Forms:
    """Those that are open."""

    def __init__(
        self,
        facts: FactSink,
        journal: Journal,
        clock: Clock,
        feed: Feed,
        categories: Callable[[], tuple[Category, ...]],
        follow_ups: FollowUps,
    ) -> None:
        self._facts, self._journal, self._clock, self._feed = facts, journal, clock, feed
        self._categories, self._follow_ups = categories, follow_ups
        self._open = {form.visit: form for form in journal.find("form/", Form).values()}
        for form in self._open.values():
            feed.form(form.visit, form.adviser, form)

    def begin(self, call: CallNow) -> None:
        """A conversation begins, or another controller goes on with it."""
        if call.visit in self._open:
            return
        self._make_room(call.adviser)
        form = Form(
            visit=call.visit,
            call_id=call.call_id,
            adviser=call.adviser,
            number=call.number,
            queue=call.queue,
            line=call.line,
            follow_up=call.follow_up,
            begun_at=self._clock.utc(),
        )
        self._keep(form)
        self._feed.form(form.visit, form.adviser, form)

    def _make_room(self, adviser: str) -> None:
        """For one more: the oldest in which nothing is written goes, or else the oldest."""
        theirs = sorted(
            (form for form in self._open.values() if form.adviser == adviser), key=lambda form: form.begun_at
        )
        if len(theirs) >= MOST_OPEN:
            nothing = Draft()
            oldest = next((form for form in theirs if _draft(form) == nothing), theirs[0])
            self._journal.forget(f"form/{oldest.visit}")
            del self._open[oldest.visit]
            self._feed.form(oldest.visit, adviser, None)

    def write(self, visit: str, adviser: str, draft: Draft) -> None:
        """Keep what is written so far. Raises NotPossible when there is no such form of this adviser."""
        form = msgspec.structs.replace(self._of(visit, adviser), **msgspec.structs.asdict(draft))
        self._keep(form)
        self._feed.form(visit, adviser, form, quietly=True)

    def save(self, visit: str, adviser: str, draft: Draft) -> None:
        """It is whole: tell it. Raises NotPossible with what is missing."""
        form = self._of(visit, adviser)
        result = self._checked(draft)
        wrapped = WrappedUp(
            call_id=form.call_id,
            visit=visit,
            adviser=adviser,
            category=draft.category,
            topic=draft.topic,
            result=result,
            note=draft.note.strip(),
            due_at=draft.due_at if result == "to_call_back" else None,
        )
        with self._journal.together():
            self._facts.record(wrapped)
            self._journal.forget(f"form/{visit}")
            self._follow_ups.wrapped_up(form, wrapped)
        del self._open[visit]
        self._feed.form(visit, adviser, None)

    def _of(self, visit: str, adviser: str) -> Form:
        form = self._open.get(visit)
        if form is None or form.adviser != adviser:
            raise NotPossible("there is no such form of yours: it may be saved already")
        return form

    def _checked(self, draft: Draft) -> WrapUpResult:
        topics = {category.name: category.topics for category in self._categories()}
        if draft.topic not in topics.get(draft.category, ()):
            raise NotPossible("choose what it was about: a topic of the table")
        if draft.result == "":
            raise NotPossible("choose what came of it")
        if draft.result == "to_call_back":
            now = self._clock.utc()
            if draft.due_at is None or not now < draft.due_at <= now + LONGEST_PROMISE:
                raise NotPossible(f"say by when you promised to call: within {LONGEST_PROMISE.days} days")
        return draft.result

    def _keep(self, form: Form) -> None:
        self._open[form.visit] = form
        self._journal.put(f"form/{form.visit}", form)


def _draft(form: Form) -> Draft:
    """What is written in it."""
    return Draft(form.category, form.topic, form.result, form.note, form.due_at)
