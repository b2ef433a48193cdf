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

    why: Literal["closed"]


Next = JoinQueue | Finished
