"""Texts on real calls, with the reference gateway behind them: what a citizen finds on their own telephone."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from bureau.people import DEMO_PIN, demo
from calls.facts import TextQueued
from tests.asterisk.hotline import Hotline
from tests.eventually import eventually
from tests.faults import frozen, kill, until_working

pytestmark = pytest.mark.asterisk

LINE = "12341"
_, LOSER, *_others = demo(datetime.now(UTC).date())


async def test_a_promised_text_arrives_once_though_gateway_and_controller_fail(hotline: Hotline) -> None:
    """The gateway freezes, the text is promised, the controller is killed, and the gateway thaws with two questions waiting."""
    assert LOSER.bound_number
    await eventually(lambda: _works(hotline))
    before = await hotline.texting.inbox(LOSER.bound_number)
    async with hotline.caller("1", line=LINE) as caller:
        await caller.hears("id.ask")
        await caller.phone.key(LOSER.id_number)
        await caller.hears("id.ask", "pin.ask")
        await caller.phone.key(DEMO_PIN)
        await caller.hears("loss.done.1", "text.offer")
        async with frozen(hotline, "texting"):
            await caller.phone.key("1")
            await caller.hears("text.offer", "text.promised")
            assert (await hotline.status()).texts_waiting == 1
            kill(hotline, "controller")
            await until_working(hotline)
            assert (await hotline.status()).texts_waiting == 1
        await eventually(lambda: _delivered(hotline, caller.call_id))
        reference = "".join(piece.removeprefix("digit.") for piece in caller.said if piece.startswith("digit."))
        await caller.leave()
    [text] = (await hotline.texting.inbox(LOSER.bound_number))[len(before) :]
    assert text.startswith("【12333】您的社会保障卡已经挂失。")
    assert reference
    assert reference in text
    queued = await caller.saw(TextQueued)
    assert (queued.about, queued.whose) == ("loss", "bound")
    assert LOSER.bound_number not in str(await hotline.sql("SELECT body FROM facts WHERE call_id = $1", caller.call_id))


async def _works(hotline: Hotline) -> bool:
    return (await hotline.status()).texts == "closed"


async def _delivered(hotline: Hotline, call: str) -> bool:
    return await hotline.sql("SELECT outcome FROM texts WHERE call_id = $1", call) == [("delivered",)]
