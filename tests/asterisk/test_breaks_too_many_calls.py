"""When things break: too many calls. As many are carried as can be, the others are told so or refused, every one is
counted, and who talks hears no difference.

The long form, at the limits of real life, is `python -m tests.soak.overload`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from tests.asterisk.hotline import Hotline, running_hotline
from tests.asterisk.phones import sipp
from tests.eventually import eventually
from tests.soak.overload import overload

pytestmark = pytest.mark.asterisk

PORT_OFFSET = 4000
STAY_MS = 3000
LIMITS = {"max_calls": 13, "max_channels": 16, "max_calls_per_s": 10}
"""One of them talks; twelve places for three seconds each are four calls a second."""


@pytest.fixture(scope="module")
def small() -> Iterator[Hotline]:
    """A hotline with little room."""
    with running_hotline(PORT_OFFSET, **LIMITS) as hotline:
        yield hotline


async def full(hotline: Hotline) -> bool:
    return (await hotline.status()).calls["up"] == LIMITS["max_calls"]


async def test_one_call_too_many_hears_so_and_is_promised_what_is_owed(small: Hotline) -> None:
    places = LIMITS["max_calls"]
    async with asyncio.TaskGroup() as group:
        group.create_task(sipp("tries", small.server, calls=places, rate=20, talk_ms=STAY_MS + 1000))
        await eventually(lambda: full(small))
        async with small.caller() as caller:
            await caller.hears("busy.callback")
            end = await caller.over()

    assert (end.outcome, end.ended_by) == ("refused", "system")
    owed = await small.sql(
        "SELECT calling_number, why, promised FROM callbacks_owed WHERE call_id = $1", caller.call_id
    )
    assert owed == [("+8613800000001", "too_many_calls", True)]


async def test_at_three_times_the_load_as_many_are_carried_as_can_be(small: Hotline) -> None:
    outcome = await overload(small, times=3, seconds=4, stay_ms=STAY_MS)
    outcome.figures("too many calls, three times the load")

    assert outcome.broken == []
    assert outcome.told > 0
    assert outcome.refused > 0


async def test_in_a_flood_the_trunk_is_shut_and_not_one_call_is_uncounted(small: Hotline) -> None:
    outcome = await overload(small, times=15, seconds=3, stay_ms=STAY_MS)
    outcome.figures("too many calls, fifteen times the load")

    assert outcome.broken == []
    assert outcome.turned_back > 0
