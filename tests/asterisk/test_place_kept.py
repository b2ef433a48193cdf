"""断线保位: who is cut off while waiting and rings again has the place back, once, also under another controller."""

from __future__ import annotations

import pytest

from calls.facts import PositionSaid, QueueEntered, QueueLeft, SeatAnswered
from tests.asterisk.hotline import Hotline
from tests.faults import kill, until_working

pytestmark = pytest.mark.asterisk

CUT_OFF = "13700000001"


async def test_a_redial_keeps_its_place_once(hotline: Hotline) -> None:
    async with hotline.adviser("1004", "8008"):
        await hotline.not_ready("1004")
        async with hotline.caller("4", number=CUT_OFF) as first:
            entered = await first.saw(QueueEntered)
            await first.leave()
            assert (await first.saw(QueueLeft)).outcome == "abandoned_waiting"
        async with hotline.caller("4") as patient:
            await patient.saw(QueueEntered)
            await hotline.all_kept()
            kill(hotline, "controller")
            await until_working(hotline)
            async with hotline.caller("4", number=CUT_OFF) as again:
                kept = await again.saw(QueueEntered)
                assert (kept.place_of, kept.since_ms) == (entered.visit, entered.since_ms)
                assert (await again.saw(PositionSaid)).position == 1
                await again.hears("queue.kept", "queue.position.1", "number.1")
                await again.leave()
            async with hotline.caller("4", number=CUT_OFF) as third:
                assert (await third.saw(QueueEntered)).place_of is None
                await hotline.ready("1004")
                assert (await patient.saw(SeatAnswered)).seat == "1004"
                await patient.leave()
                await third.saw(SeatAnswered)
                await third.leave()
        rows = await hotline.sql("SELECT call_id, waited_ms FROM queue_visits WHERE place_of = $1", entered.visit)
    [(call_id, waited_ms)] = rows
    assert call_id == kept.call_id
    assert waited_ms > kept.since_ms - entered.since_ms
