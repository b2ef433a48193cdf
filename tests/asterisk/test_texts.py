"""Texts on real calls, with the reference gateway behind them: what a citizen finds on their own telephone."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest

from bureau.people import DEMO_PIN, demo
from calls.facts import TextQueued
from ivr.business import Identity
from tests.asterisk.canary import files_holding, in_messages, listening, told_of
from tests.asterisk.hotline import Hotline
from tests.eventually import eventually
from tests.faults import frozen, kill, until_working

pytestmark = pytest.mark.asterisk

LINE = "12341"
_, LOSER, *_others, FORGETFUL, _ = demo(datetime.now(UTC).date())
NEW_PIN = "602214"


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


async def test_a_forgotten_pin_is_set_anew_and_neither_code_nor_pin_is_anywhere_afterwards(hotline: Hotline) -> None:
    """The citizen reads the code on the telephone, and keys another PIN."""
    number, password = FORGETFUL.bound_number, hotline.secrets.mqtt_reader
    assert number
    await eventually(lambda: _works(hotline))
    before = len(await hotline.texting.inbox(number))
    async with listening(hotline.settings, password) as heard:
        async with hotline.caller("7", line=LINE) as caller:
            await caller.hears("id.ask")
            await caller.phone.key(FORGETFUL.id_number)
            await caller.hears("id.ask", "code.ask")
            await eventually(lambda: _received(hotline, number, before + 1))
            [code] = re.findall(r"\d{6}", (await hotline.texting.inbox(number))[-1].removeprefix("【12333】"))
            await caller.phone.key(code)
            for prompt in ("pin.new", "pin.repeat"):
                await caller.hears("id.passed", prompt)
                await caller.phone.key(NEW_PIN)
            await caller.hears("pin.repeat", "pin.changed.1")
            await caller.phone.key("#")
            await caller.hears("pin.changed.1", "menu.main")
            await caller.leave()
        await hotline.all_kept()
        await eventually(lambda: told_of(heard, caller.call_id))
    async with hotline.business() as business:
        identity = Identity("id_card", FORGETFUL.id_number)
        assert await business.verify(identity, NEW_PIN)
        assert not await business.verify(identity, DEMO_PIN)
    assert [what for what, _ in await hotline.happened_to(FORGETFUL.id_number)][-1] == "pin_reset"
    assert await hotline.sql("SELECT outcome FROM service_uses WHERE call_id = $1", caller.call_id) == [("done",)]
    assert await hotline.sql("SELECT about, outcome FROM texts WHERE call_id = $1", caller.call_id) == [
        ("code", "delivered")
    ]
    secrets = re.compile(rf"(?<!\d)({code}|{NEW_PIN})(?!\d)".encode())
    assert ([str(path) for path in files_holding(hotline.settings, secrets)], in_messages(heard, secrets)) == ([], [])


async def _received(hotline: Hotline, number: str, texts: int) -> bool:
    return len(await hotline.texting.inbox(number)) == texts


async def _works(hotline: Hotline) -> bool:
    return (await hotline.status()).texts == "closed"


async def _delivered(hotline: Hotline, call: str) -> bool:
    return await hotline.sql("SELECT outcome FROM texts WHERE call_id = $1", call) == [("delivered",)]
