"""What a waiting caller is told to expect: nothing while nobody knows, then a word that comes true as a figure."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

import pytest

from calls.facts import PositionSaid, QueueEntered, SeatAnswered
from tests.asterisk.hotline import Hotline
from tests.telephones.crowd import Life, on_the_phone

pytestmark = pytest.mark.asterisk

SEATS = (("1005", "8001"), ("1006", "8008"), ("1007", "8009"), ("1008", "8016"), ("1009", "8017"))
KEYS = tuple((2.0 + second, "4") for second in range(4))
"""One of them comes while the menu listens."""
LEAVES_S = 8.0
TOLD = "SELECT minutes, p50_ms, p90_ms, really_ms, error_ms FROM expected_waits WHERE call_id = $1 ORDER BY said_at"


async def test_the_expected_wait_is_said_once_known_and_its_error_is_a_figure(hotline: Hotline) -> None:
    async with on_the_phone(hotline) as crowd, AsyncExitStack() as stack:
        for seat, number in SEATS:
            await stack.enter_async_context(crowd.adviser(seat, number))
        await asyncio.gather(*(crowd.live(Life(KEYS, patience_s=LEAVES_S)) for _ in SEATS))
        for seat, _ in SEATS:
            await hotline.seat_is(seat, "ready")
    async with hotline.adviser("1005", "8001") as phone, hotline.caller("4") as first:
        await first.connected()
        async with hotline.caller("4") as second:
            await second.saw(QueueEntered)
            told = await second.saw(PositionSaid)
            assert told.minutes == 1
            assert told.expected_p50_ms
            await second.hears("queue.enter", "queue.position.1", "number.1", "queue.position.2", "queue.expected.one")
            await phone.hangup()
            await first.leave()
            await second.saw(SeatAnswered)
            await second.leave()
        [row, *_] = await hotline.sql(TOLD, second.call_id)
    minutes, p50_ms, p90_ms, really_ms, error_ms = row
    assert (minutes, p50_ms, p90_ms) == (1, told.expected_p50_ms, told.expected_p90_ms)
    assert error_ms == really_ms - p50_ms
