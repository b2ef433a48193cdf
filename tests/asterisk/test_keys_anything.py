"""A slice of `python -m tests.soak.keys`: callers who key anything at any moment, and hang up at any moment."""

from __future__ import annotations

import pytest

from tests.asterisk.hotline import Hotline
from tests.soak.keys import Fuzz

pytestmark = pytest.mark.asterisk

SEED, CALLERS, AT_ONCE = 2, 100, 50
PATIENCE_S = 10.0


async def test_a_hundred_callers_who_key_anything(hotline: Hotline) -> None:
    """Whoever breaks a law is printed with the script; `python -m tests.soak.keys --seed 2 --only N` does it again."""
    verdicts = await Fuzz(hotline, SEED, PATIENCE_S).run(range(CALLERS), AT_ONCE)
    assert [(verdict.law, verdict.broken) for verdict in verdicts if verdict.broken] == []
    assert verdicts
