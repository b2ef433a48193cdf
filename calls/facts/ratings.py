"""What callers answered when they were asked how it was."""

from __future__ import annotations

from calls.facts.fact import Fact


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
