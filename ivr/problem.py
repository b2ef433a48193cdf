"""What a rule of line files finds: where, why it is wrong, and the mend."""

from __future__ import annotations

from typing import NamedTuple

Steps = tuple[object, ...]
"""Where something stands in the file: the keys and indexes that lead to it."""


class Problem(NamedTuple):
    """What a rule finds."""

    steps: Steps
    reason: str
    mend: str
