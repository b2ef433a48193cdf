"""When things break: too many calls. As many are carried as can be, the others are told so or refused, every one is
counted, and who talks hears no difference.

The long form, at the limits of real life, is `python -m tests.soak.overload`.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.asterisk.hotline import Hotline, running_hotline
from tests.soak.overload import overload

pytestmark = pytest.mark.asterisk

PORT_OFFSET = 4000
STAY_MS = 2000
LIMITS = {"max_calls": 13, "max_channels": 16, "max_calls_per_s": 12}
"""One of them talks; twelve places for two seconds each are six calls a second."""


@pytest.fixture(scope="module")
def small() -> Iterator[Hotline]:
    """A hotline with little room."""
    with running_hotline(PORT_OFFSET, **LIMITS) as hotline:
        yield hotline


async def test_at_three_times_the_load_as_many_are_carried_as_can_be(small: Hotline) -> None:
    outcome = await overload(small, times=3, seconds=6, stay_ms=STAY_MS)
    outcome.figures("too many calls, three times the load")

    assert outcome.broken == []
    assert outcome.told > 0
    assert outcome.refused > 0


async def test_in_a_flood_the_trunk_is_shut_and_not_one_call_is_uncounted(small: Hotline) -> None:
    outcome = await overload(small, times=12, seconds=4, stay_ms=STAY_MS)
    outcome.figures("too many calls, twelve times the load")

    assert outcome.broken == []
    assert outcome.turned_back > 0
