"""A slice of the soak (`make soak`): the same plan and the same laws, for seconds instead of an hour."""

from __future__ import annotations

import pytest

from tests.asterisk.hotline import Hotline
from tests.soak.plan import make_plan
from tests.soak.soak import SEATS, Soak

pytestmark = pytest.mark.asterisk

SEED = 173
"""With it an adviser's telephone is killed: the faults of other parts have tests of their own."""

SECONDS = 20


async def test_soak_slice(hotline: Hotline) -> None:
    plan = make_plan(SEED, SECONDS, list(SEATS), faults=True, asterisk=False)
    verdicts = await Soak(hotline, SEED, plan, SECONDS).run()
    assert [(verdict.law, verdict.broken) for verdict in verdicts if verdict.broken] == []
    assert verdicts
