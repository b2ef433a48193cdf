"""回拨: whoever asks is called back at the kept place, by an adviser who is there already; also under another controller."""

from __future__ import annotations

from datetime import datetime

import pytest

from calls.facts import QueueEntered, QueueLeft, SeatAnswered
from cti.phone.baresip import AnswerAfter, RingOn
from cti.phone.events import Closed, Established, Incoming
from tests.asterisk.hotline import Caller, Hotline
from tests.asterisk.phones import CITIZEN_HZ, SEAT_HZ, hears, listen
from tests.asterisk.test_first_call import recorded_in_two_channels
from tests.eventually import eventually
from tests.faults import kill, until_working

pytestmark = pytest.mark.asterisk

LINE, SEAT, ADVISER = "12338", "1004", "8019"
NUMBER = "13700000021"
BACK = "SELECT call_id FROM calls WHERE callback_of = $1 ORDER BY arrived_at"
OWED = "SELECT outcome, attempts, why, promised FROM callbacks_owed WHERE call_id = $1"
TRIED = "SELECT attempt, reached, reason FROM callback_attempts WHERE callback_of = $1 ORDER BY at"


async def asks(caller: Caller, *, listens: bool = False) -> None:
    """Key 1, the number is read back, if the caller listens, key 1 once more; then the caller hangs up."""
    await caller.hears("callback.offer")
    await caller.phone.key("1")
    number = [f"digit.{digit}" for digit in NUMBER] if listens else []
    await caller.hears("callback.confirm.1", *number)
    await caller.phone.key("1")
    await caller.hears("callback.promised")
    assert (await caller.saw(QueueLeft)).outcome == "callback"
    await caller.leave()


async def promise_is(hotline: Hotline, call_id: str, outcome: str) -> None:
    async def ended() -> bool:
        return [row[0] for row in await hotline.sql(OWED, call_id)] == [outcome]

    await eventually(ended)


async def test_whoever_asks_is_called_back_at_the_kept_place_also_under_the_next_controller(hotline: Hotline) -> None:
    async with hotline.adviser(SEAT, ADVISER) as seat:
        await hotline.not_ready(SEAT)
        async with hotline.caller("1", line=LINE, number=NUMBER, at_home=AnswerAfter()) as caller:
            await asks(caller, listens=True)
            async with hotline.caller("1", line=LINE) as later:
                await later.saw(QueueEntered)
                await hotline.all_kept()
                kill(hotline, "controller")
                await until_working(hotline)
                await hotline.ready(SEAT)
                await caller.phone.wait_for(Incoming)
                await caller.phone.wait_for(Established)
                await caller.hears("callback.greeting", "seat.number.1")
                assert hears(await listen(caller.phone), SEAT_HZ)
                assert hears(await listen(seat), CITIZEN_HZ)
                await seat.hangup()
                await caller.hears("rating.ask")
                await caller.phone.hangup()
                await later.saw(SeatAnswered)  # whoever came later is served later
                await later.leave()
        await promise_is(hotline, caller.call_id, "kept")
        assert await hotline.sql(OWED, caller.call_id) == [("kept", 1, "asked", True)]
        [(back,)] = await hotline.sql(BACK, caller.call_id)
        await recorded_in_two_channels(hotline, back)
        [(queue, since_ms, place_of)] = await hotline.sql(
            "SELECT queue, since_ms, place_of FROM queue_visits WHERE call_id = $1", back
        )
        entered = await caller.saw(QueueEntered)
        assert (queue, since_ms, place_of) == ("back", entered.since_ms, entered.visit)
    code, out, _ = await hotline.rexian("why", caller.call_id)
    assert code == 0
    assert "要求回拨" in out
    assert "来电者接起" in out


async def test_whoever_is_not_there_is_rung_twice(hotline: Hotline) -> None:
    async with hotline.adviser(SEAT, ADVISER) as seat:
        await hotline.not_ready(SEAT)
        async with hotline.caller("1", line=LINE, number=NUMBER, at_home=RingOn()) as caller:
            await asks(caller)
            await hotline.ready(SEAT)
            await caller.phone.wait_for(Incoming)
            await caller.phone.wait_for(Closed)  # it rings no longer than the line says
            await caller.phone.wait_for(Incoming)
            await caller.phone.hangup()
            await promise_is(hotline, caller.call_id, "not_reached")
        assert await hotline.sql(TRIED, caller.call_id) == [(1, False, "no_answer"), (2, False, "busy")]
        await seat.wait_for(Closed)


async def test_a_controller_that_dies_while_the_citizen_is_rung_costs_no_try(hotline: Hotline) -> None:
    async with hotline.adviser(SEAT, ADVISER):
        await hotline.not_ready(SEAT)
        async with hotline.caller("1", line=LINE, number=NUMBER, at_home=RingOn()) as caller:
            await asks(caller)
            await hotline.ready(SEAT)
            await caller.phone.wait_for(Incoming)
            await hotline.all_kept()
            kill(hotline, "controller")
            await caller.phone.wait_for(Closed)
            await until_working(hotline)
            await caller.phone.wait_for(Incoming)
            await caller.phone.answer()
            await caller.hears("callback.greeting", "seat.number.1")
            assert hears(await listen(caller.phone), SEAT_HZ)
            await caller.phone.hangup()
            await promise_is(hotline, caller.call_id, "kept")
        assert await hotline.sql(TRIED, caller.call_id) == [(1, True, None)]


async def test_an_adviser_calls_a_lost_caller_back_at_once(hotline: Hotline) -> None:
    async with (
        hotline.adviser(SEAT, ADVISER) as seat,
        hotline.caller("1", line=LINE, number=NUMBER, at_home=AnswerAfter()) as caller,
    ):
        await caller.connected()
        await caller.leave()
        await hotline.seat_is(SEAT, "wrap_up", "ready")
        assert (await hotline.rexian("seat", "redial", SEAT))[0] == 0
        await caller.phone.wait_for(Incoming)
        await caller.hears("callback.greeting", "seat.number.1")
        assert hears(await listen(caller.phone), SEAT_HZ)
        assert hears(await listen(seat), CITIZEN_HZ)
        await caller.phone.hangup()
        await promise_is(hotline, caller.call_id, "kept")
    today = datetime.now(hotline.settings.zone).date()
    code, out, _ = await hotline.rexian("twin", "--recorded", str(today))
    assert code == 0
    assert out.splitlines()[-1].startswith("        实际")
