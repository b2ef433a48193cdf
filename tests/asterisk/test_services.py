"""Services of the machine on real calls, with the reference business system behind them."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest

from bureau.people import DEMO_PIN, Person, demo
from calls.facts import ServiceUsed
from tests.asterisk.canary import files_holding, in_messages, listening, told_of
from tests.asterisk.hotline import Caller, Hotline
from tests.eventually import eventually
from tests.faults import kill, until_working

pytestmark = pytest.mark.asterisk

LINE = "12341"
RETIRED, LOSER, MAKING, READY, ISSUED, FOUND, _, CARDLESS = demo(datetime.now(UTC).date())
"""Each test changes a citizen of its own; who only looks may share."""

TWICE = RETIRED
NOBODY, WRONG_PIN = "990101196802290010", "739158"
"""A number that can be one and is nobody's, and a PIN that is nobody's either."""

SECRETS = re.compile(rf"(?<!\d)({NOBODY}|{WRONG_PIN})(?!\d)".encode())

LOGIN = ("id.ask", "pin.ask")


async def keys(caller: Caller, digits: str) -> None:
    for digit in digits:
        await caller.phone.key(digit)


async def logs_in(caller: Caller, person: Person, pin: str = DEMO_PIN) -> None:
    """Key number and PIN as soon as each is asked for."""
    asked = caller.said.count("id.ask")
    await caller.hears(*["id.ask"] * max(1, asked))
    await keys(caller, person.id_number.replace("X", "*"))
    await caller.hears("pin.ask")
    await keys(caller, pin)


@pytest.mark.parametrize(
    ("key", "person", "said", "changed"),
    [
        ("1", LOSER, "loss.done.1", "loss_reported"),
        ("2", FOUND, "found.done.1", "loss_undone"),
        ("3", ISSUED, "activation.done.1", "card_activated"),
    ],
    ids=["card loss", "card found", "activation"],
)
async def test_what_is_changed_is_changed_once_and_its_number_read_back(
    hotline: Hotline, key: str, person: Person, said: str, changed: str
) -> None:
    async with hotline.caller(key, line=LINE) as caller:
        await logs_in(caller, person)
        await caller.hears(*LOGIN, said, "answer.again")
        read_back = "".join(piece.removeprefix("digit.") for piece in caller.said if piece.startswith("digit."))
        await caller.phone.key("#")
        await caller.hears(said, "answer.again", "menu.main")
        ended = await caller.leave()
    assert ended.outcome == "machine"
    *before, [what, reference] = await hotline.happened_to(person.id_number)
    assert (what, reference) == (changed, read_back)
    assert what not in [earlier for earlier, _ in before]
    used = await caller.saw(ServiceUsed)
    assert used.outcome == "done"


@pytest.mark.parametrize(
    ("key", "person", "said"),
    [
        ("4", MAKING, ("card.in_production", "card.ready_on.1")),
        ("4", READY, ("card.ready.1", "card.ready_on.1")),
        ("4", CARDLESS, ("card.none",)),
        ("5", RETIRED, ("insurance.pension", "insurance.months.1", "insurance.balance.1", "insurance.medical")),
        ("6", RETIRED, ("pension.paid.1",)),
        ("6", READY, ("pension.none",)),
    ],
    ids=["being made", "ready", "no card", "accounts", "pension", "no pension"],
)
async def test_what_is_known_is_told(hotline: Hotline, key: str, person: Person, said: tuple[str, ...]) -> None:
    async with hotline.caller(key, line=LINE) as caller:
        await logs_in(caller, person)
        await caller.hears(*LOGIN, *said)
        await caller.leave()


async def test_a_wrong_pin_sounds_as_an_account_that_is_not_there(hotline: Hotline) -> None:
    async with hotline.caller("6", line=LINE) as caller:
        for tries, number in enumerate((READY.id_number, NOBODY, READY.id_number), start=1):
            await caller.hears(*LOGIN[:1], *("pin.ask", "id.failed", "id.ask") * (tries - 1))
            await caller.phone.key(number)
            await caller.hears(*("id.ask", "pin.ask", "id.failed") * (tries - 1), "id.ask", "pin.ask")
            await caller.phone.key(WRONG_PIN)
        await caller.hears(*("id.ask", "pin.ask", "id.failed") * 3, "id.locked", "menu.main")
        await caller.leave()
    assert (await caller.saw(ServiceUsed)).outcome == "not_identified"


async def test_what_is_keyed_is_nowhere_afterwards(hotline: Hotline) -> None:
    """In no log, journal, table, message, recording: nowhere below the hotline's folder, and not on MQTT."""
    async with listening(hotline.settings, hotline.secrets.mqtt_reader) as heard:
        for key in "123456":
            async with hotline.caller(key, line=LINE) as caller:
                await caller.hears("id.ask")
                await caller.phone.key(NOBODY)
                await caller.hears(*LOGIN)
                await caller.phone.key(WRONG_PIN)
                await caller.hears(*LOGIN, "id.failed")
                await caller.leave()
                assert await hotline.sql("SELECT * FROM recordings WHERE call_id = $1", caller.call_id) == []
        await hotline.all_kept()
        await eventually(lambda: told_of(heard, caller.call_id))
    found = [str(path) for path in files_holding(hotline.settings, SECRETS)]
    assert (found, in_messages(heard, SECRETS)) == ([], [])


async def test_a_controller_that_dies_while_a_card_is_blocked_leaves_it_blocked_once(hotline: Hotline) -> None:
    """The system is slow, the controller is killed while it thinks, the system does it; the next one asks again who it is."""
    before = await hotline.happened_to(TWICE.id_number)
    async with hotline.caller("1", line=LINE) as caller:
        async with hotline.bureau_holds(TWICE.id_number):
            await caller.hears("id.ask")
            await caller.phone.key(TWICE.id_number)
            await caller.hears(*LOGIN)
            await caller.phone.key(DEMO_PIN)
            await caller.hears(*LOGIN, "wait.moment")
            kill(hotline, "controller")
        await until_working(hotline)
        await eventually(lambda: _blocked(hotline, len(before) + 1))
        await caller.hears(*LOGIN, "wait.moment", "interrupted", "id.ask")
        await caller.phone.key(TWICE.id_number)
        await caller.hears(*LOGIN, "wait.moment", "interrupted", *LOGIN)
        await caller.phone.key(DEMO_PIN)
        await caller.hears("wait.moment", "interrupted", *LOGIN, "loss.done.1", "loss.done.2", "answer.again")
        read_back = "".join(piece.removeprefix("digit.") for piece in caller.said if piece.startswith("digit."))
        await caller.leave()
    [*_, [what, reference]] = after = await hotline.happened_to(TWICE.id_number)
    assert len(after) == len(before) + 1
    assert (what, reference) == ("loss_reported", read_back)


async def _blocked(hotline: Hotline, changes: int) -> bool:
    return len(await hotline.happened_to(TWICE.id_number)) == changes
