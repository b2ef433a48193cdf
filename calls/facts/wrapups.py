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
