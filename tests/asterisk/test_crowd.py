"""A crowd: a hundred calls with random keys and random hang-ups on three seats, and not a trace of them afterwards."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections import Counter

import pytest

from cti.phone.baresip import AnswerAfter, Phone
from cti.phone.events import Closed, Established
from cti.phone.wire import PhoneFailed
from tests.asterisk.hotline import Hotline
from tests.asterisk.phones import Citizen, sipp

pytestmark = pytest.mark.asterisk

SEED = 12333
WANDERERS, QUITS = 80, 20
QUIT_AFTER_S = (0.0, 0.003, 0.01, 0.1)
"""Some give up before the answer is back, some as it comes."""

KEYS = "0123456789*#"


async def hangs_up_at_random(seat: Phone, chance: random.Random) -> None:
    """An adviser who is sometimes the first to leave."""
    while True:
        await seat.wait_for(Established, timeout_s=120)
        await asyncio.sleep(chance.uniform(0.2, 2.0))
        if chance.random() < 0.5:
            with contextlib.suppress(PhoneFailed):  # the citizen was first
                await seat.hangup()


def wanderings(chance: random.Random) -> str:
    """A line for each call: ms until the key, the key, ms until the hang-up."""
    rows = (f"{chance.randrange(0, 5000)};{chance.choice(KEYS)};{chance.randrange(0, 5000)};" for _ in range(WANDERERS))
    return "\n".join(("SEQUENTIAL", *rows, ""))


async def quits(hotline: Hotline, chance: random.Random) -> int:
    """Dials and thinks better of it at once, again and again; how many INVITEs that were."""
    async with Citizen(hotline.server) as citizen:
        for _ in range(QUITS):
            await citizen.call()
            await asyncio.sleep(chance.choice(QUIT_AFTER_S))
            await citizen.hangup()
            await citizen.wait_for(Closed)
    return QUITS


async def the_crowd(hotline: Hotline, chance: random.Random) -> int:
    """How many INVITEs were sent."""
    async with asyncio.TaskGroup() as group:
        quitting = group.create_task(quits(hotline, chance))
        wandering = group.create_task(
            sipp("wanders", hotline.server, calls=WANDERERS, rate=10, limit_s=120, values=wanderings(chance))
        )
    return quitting.result() + wandering.result().created


async def test_a_hundred_calls_leave_nothing_behind(hotline: Hotline) -> None:
    chance = random.Random(SEED)
    before = hotline.call_records()
    async with (
        hotline.adviser("1001", "8001", AnswerAfter(0.5)) as one,
        hotline.adviser("1002", "8002", AnswerAfter(1.0)) as two,
        hotline.adviser("1003", "8003") as three,
        asyncio.TaskGroup() as group,
    ):
        advisers = [group.create_task(hangs_up_at_random(seat, chance)) for seat in (one, two, three)]
        sent = await the_crowd(hotline, chance)
        await hotline.nothing_left()
        for adviser in advisers:
            adviser.cancel()

    new = hotline.call_records() - before
    assert sent == WANDERERS + QUITS == len(new)
    rows = await hotline.sql("SELECT call_id, outcome, endings FROM calls WHERE call_id = ANY($1)", list(new))
    assert len(rows) == sent
    assert {endings for _, _, endings in rows} == {1}
    outcomes = Counter(outcome for _, outcome, _ in rows)
    assert outcomes.keys() >= {"abandoned_notice", "abandoned_menu", "queued"}, outcomes
    assert "fault" not in outcomes, outcomes
