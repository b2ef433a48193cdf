"""Thirty calls a second as they come to a hotline: some for a person, more for the machine, some given up.

The shares are those of the country's hotlines in a quarter: 36 % people, 44 % machine, 20 % abandoned.
"""

from __future__ import annotations

import asyncio

import msgspec

from benchmarks.hotlines import SEATS, Exchange
from benchmarks.load import call, seats
from benchmarks.processes import spent
from benchmarks.scenarios import SEAT, citizen, hang_up, key, pause, seat, wait_for_hang_up, wait_or_hang_up
from benchmarks.speed import KEY_MS

SEAT_PATIENCE_MS = 3000
"""So long an adviser talks who is not left before."""

KINDS: tuple[tuple[float, str], ...] = (
    (8, citizen(pause(KEY_MS), key("1"), pause(2000), hang_up())),
    (3, citizen(pause(KEY_MS), key("1"), pause(SEAT_PATIENCE_MS + 1500), key("5"), wait_for_hang_up())),
    (13, citizen(pause(KEY_MS), key("2"), pause(4000), hang_up())),
    (3, citizen(pause(KEY_MS // 2), hang_up())),
    (3, citizen(pause(KEY_MS + 200), hang_up())),
)
"""Calls a second, and what they do: served; served and rated; hears an announcement; gives up in the notice, in the menu."""

CALLS_A_SECOND = sum(rate for rate, _ in KINDS)
RAMP_S = 5.0
"""Until as many calls end as begin."""


class Mixed(msgspec.Struct, frozen=True):
    """What thirty mixed calls a second took."""

    controller_core: float
    """Share of one core, percent."""
    failed: int


async def mixed_calls(exchange: Exchange, lasting_s: float) -> Mixed:
    """For so long, after a start that is not counted."""
    async with (
        seats(exchange, SEATS, seat(wait_or_hang_up(SEAT_PATIENCE_MS, SEAT))),
        asyncio.TaskGroup() as group,
    ):
        calls = [
            group.create_task(
                call(exchange, scenario, rate=rate, calls=round(rate * (RAMP_S + lasting_s)), place=place)
            )
            for place, (rate, scenario) in enumerate(KINDS)
        ]
        await asyncio.sleep(RAMP_S)
        before, began = exchange.processes().cpu_ms(), asyncio.get_running_loop().time()
        await asyncio.sleep(lasting_s)
        used, ended = spent(before, exchange.processes().cpu_ms()), asyncio.get_running_loop().time()
    await exchange.idle()
    failed = sum(task.result().failed for task in calls)
    return Mixed(used["controller"] / (10 * (ended - began)), failed)
