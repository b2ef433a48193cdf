"""Calling numbers that are refused for a while, and who decided it."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from calls.facts.fact import Fact

BlockEndedWhy = Literal["lifted", "expired"]


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
