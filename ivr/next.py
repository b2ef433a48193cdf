"""What a flow hands on when it has done its part; the edge carries it out.

To add a way on, add a Struct here, add it to `Next`, and mypy will name each place that has to decide about it.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from calls.words import Needs


class JoinQueue(msgspec.Struct, frozen=True):
    """The caller wants a person."""

    needs: Needs


class Finished(msgspec.Struct, frozen=True):
    """Everything was said; the call may end. `why` is a word for the log."""

    why: Literal["closed", "refused", "served"]


Next = JoinQueue | Finished


class Reached(msgspec.Struct, frozen=True):
    """How far a caller's keys have led, kept for the controller that may have to go on from there."""

    menus: tuple[str, ...] = ()
    """The present menu, and before it those that led there; empty before the first."""
    choice: str | None = None
    """What was chosen there and is being done, by its name; None: nothing."""
