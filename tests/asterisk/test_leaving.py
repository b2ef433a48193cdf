"""Callers who hang up: wherever they do, the call is counted there, and nothing of it is left (fixture `hotline`)."""

from __future__ import annotations

import pytest

from calls.facts import NoticeHeard, PositionSaid, SeatOffered
from cti.phone.baresip import RingOn
from cti.phone.events import Closed, Incoming
from recordings.listen import level_dbfs
from tests.asterisk.hotline import Caller, Hotline
from tests.asterisk.phones import CITIZEN_HZ, SEAT_HZ, hears, listen

pytestmark = pytest.mark.asterisk


async def call_row(hotline: Hotline, caller: Caller) -> tuple[object, ...]:
    [row] = await hotline.sql("SELECT outcome, ended_by FROM calls WHERE call_id = $1", caller.call_id)
    return row


async def visit_row(hotline: Hotline, caller: Caller) -> tuple[object, ...]:
    [row] = await hotline.sql(
        "SELECT outcome, offers, answers, talk_ended_by FROM queue_visits WHERE call_id = $1", caller.call_id
    )
    return row


async def test_in_the_notice(hotline: Hotline) -> None:
    async with hotline.caller() as caller:
        await caller.hears("welcome", "notice")
        await caller.leave()
    assert await call_row(hotline, caller) == ("abandoned_notice", "caller")
    heard = await caller.saw(NoticeHeard)
    assert not heard.whole
    assert 0 < heard.heard_ms < 1500


async def test_in_the_menu(hotline: Hotline) -> None:
    async with hotline.caller() as caller:
        await caller.hears("welcome", "notice", "menu.main")
        await caller.leave()
    assert await call_row(hotline, caller) == ("abandoned_menu", "caller")
    assert (await caller.saw(NoticeHeard)).whole


async def test_in_the_queue(hotline: Hotline) -> None:
    async with hotline.adviser("1004", "8004"):
        await hotline.not_ready("1004")
        async with hotline.caller("2") as caller:
            await caller.saw(PositionSaid)
            await caller.hears("queue.enter", "queue.position.1", "number.1", "queue.position.2")
            music = await listen(caller.phone, 2)
            assert level_dbfs(music / 32768) > -40
            await caller.leave()
            assert caller.said[-1] == "queue.position.2"
    assert await call_row(hotline, caller) == ("queued", "caller")
    assert await visit_row(hotline, caller) == ("abandoned_waiting", 0, 0, None)


async def test_whoever_waits_after_others_hears_music_too(hotline: Hotline) -> None:
    """The queue has been empty in between, and a place has been said while music played."""
    async with hotline.adviser("1004", "8004"):
        await hotline.not_ready("1004")
        for _ in range(2):
            async with hotline.caller("2") as first, hotline.caller("2") as second:
                await first.saw(PositionSaid)
                await second.saw(PositionSaid)
                await first.leave()
                await second.saw(PositionSaid, times=2)
                await second.hears("queue.position.1", "number.1", "queue.position.2")
                music = await listen(second.phone, 2)
                assert level_dbfs(music / 32768) > -40
                await second.leave()


async def test_while_a_seat_rings(hotline: Hotline) -> None:
    async with hotline.adviser("1004", "8004", RingOn()) as seat:
        async with hotline.caller("2") as caller:
            await caller.saw(SeatOffered)
            await seat.wait_for(Incoming)
            await caller.leave()
            await seat.wait_for(Closed)
        await hotline.seat_is("1004", "ready")
    assert await call_row(hotline, caller) == ("queued", "caller")
    assert await visit_row(hotline, caller) == ("abandoned_ringing", 1, 0, None)


async def test_while_talking(hotline: Hotline) -> None:
    async with hotline.adviser("1004", "8004") as seat, hotline.caller("2") as caller:
        await caller.connected()
        await caller.hears("digit.8", "digit.0", "digit.4", "seat.number.1")
        assert hears(await listen(caller.phone), SEAT_HZ)
        assert hears(await listen(seat), CITIZEN_HZ)
        await caller.leave()
        await seat.wait_for(Closed)
    assert await call_row(hotline, caller) == ("queued", "caller")
    assert await visit_row(hotline, caller) == ("answered", 1, 1, "caller")
    assert await hotline.sql("SELECT score FROM ratings WHERE call_id = $1", caller.call_id) == []


async def test_instead_of_rating(hotline: Hotline) -> None:
    async with hotline.adviser("1004", "8004") as seat, hotline.caller("2") as caller:
        await caller.connected()
        await seat.hangup()
        await caller.hears("rating.ask")
        await caller.leave()
    assert await call_row(hotline, caller) == ("queued", "caller")
    assert await visit_row(hotline, caller) == ("answered", 1, 1, "seat")
    assert await hotline.sql("SELECT adviser, score FROM ratings WHERE call_id = $1", caller.call_id) == [
        ("8004", None)
    ]
