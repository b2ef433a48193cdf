"""Five hundred facts a second, to be told to the desks: a controller that tells them, or a client of Mosquitto that does.

    python -m benchmarks.told feed|mqtt

Each is another state of one of a hundred seats. It says when it was published (`since`, UTC, to the microsecond) and which
one it is (`adviser`, a number that counts up), so that whoever reads it knows how old it is and whether one is missing.
`desks.py` starts it, in the place of the controller or beside it, and kills it.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from datetime import UTC, datetime

import msgspec
import uvloop

from benchmarks.hotlines import SEATS
from benchmarks.mosquitto import connected
from cti.bus import SeatNow
from cti.desk.feed import SeatTold
from cti.secrets import load_or_create
from cti.server import Controller
from cti.settings import Settings, load_settings

DESKS = SEATS[:100]
A_SECOND = 500
"""Of each desk's own seat five."""

SHORTEST_S = 0.001
"""uvloop's timers count milliseconds: what is shorter would be no sleep."""

TOPIC = "rexian/bench/seat"


async def feed(settings: Settings) -> None:
    """The whole controller, and in its feed these seats."""
    controller = Controller(settings)
    async with asyncio.TaskGroup() as group:
        group.create_task(controller.run())
        group.create_task(_tell(lambda seat, now: controller.feed.state(f"seat/{seat}", now)))


async def mqtt(settings: Settings) -> None:
    """The same messages, at QoS 0: sent once, acknowledged by nobody."""
    password = load_or_create(settings.secrets_path, settings.seats).mqtt_controller
    async with connected(settings, "bench-teller", "controller", password, None, lambda _: None) as client:
        await _tell(lambda seat, now: client.publish(f"{TOPIC}/{seat}", msgspec.json.encode(SeatTold(seat, now))))


async def _tell(publish: Callable[[str, SeatNow], None]) -> None:
    """One after the other, evenly, for ever."""
    loop, number = asyncio.get_running_loop(), 0
    began = loop.time()
    while True:
        while number <= (loop.time() - began) * A_SECOND:
            now = SeatNow(state="talking", adviser=str(number), since=datetime.now(UTC))
            publish(DESKS[number % len(DESKS)], now)
            number += 1
        await asyncio.sleep(max(SHORTEST_S, began + number / A_SECOND - loop.time()))


if __name__ == "__main__":
    uvloop.run({"feed": feed, "mqtt": mqtt}[sys.argv[1]](load_settings()))
