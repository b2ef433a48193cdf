"""What an adviser wrote down of a conversation (话后处理)."""

from __future__ import annotations

from datetime import datetime

from calls.facts.fact import Fact
from calls.words import WrapUpResult


class WrappedUp(Fact, frozen=True, kw_only=True, tag="wrapped_up"):
    """The adviser has written down what a conversation was about and what came of it; told again, the last one counts."""

    call_id: str
    visit: str
    adviser: str
    category: str
    """Of the centre's own table (lines/categories.yaml), as it stands there."""
    topic: str
    result: WrapUpResult
    note: str
    """In the adviser's own words. Personal data."""
    due_at: datetime | None = None
    """UTC; by when the citizen was promised a call back."""


class FollowUpDone(Fact, frozen=True, kw_only=True, tag="follow_up_done"):
    """The call back that an adviser promised is made, or need not be any more."""

    call_id: str
    """The call in which it was promised."""
    visit: str
    """The conversation in which it was promised."""
    adviser: str
    by_call: str | None
    """The call in which the citizen was reached; None: the adviser says that it is done."""
