"""Services of the machine on real calls, with the reference business system behind them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from bureau.people import DEMO_PIN, Person, demo
from calls.facts import ServiceUsed
from tests.asterisk.hotline import Caller, Hotline

pytestmark = pytest.mark.asterisk

LINE = "12341"
RETIRED, LOSER, MAKING, READY, ISSUED, FOUND, _, CARDLESS = demo(datetime.now(UTC).date())
"""Each test changes a citizen of its own; who only looks may share."""

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
    ("key", "person", "said"),
    [
        ("1", LOSER, "loss.done.1"),
        ("2", FOUND, "found.done.1"),
        ("3", ISSUED, "activation.done.1"),
    ],
    ids=["card loss", "card found", "activation"],
)
async def test_what_is_changed_is_changed_once_and_its_number_read_back(
    hotline: Hotline, key: str, person: Person, said: str
) -> None:
    async with hotline.caller(key, line=LINE) as caller:
        await logs_in(caller, person)
        await caller.hears(*LOGIN, said, "answer.again")
        read_back = "".join(piece.removeprefix("digit.") for piece in caller.said if piece.startswith("digit."))
        await caller.phone.key("#")
        await caller.hears(said, "answer.again", "menu.main")
        ended = await caller.leave()
    assert ended.outcome == "machine"
    [(what, reference)] = await hotline.bureau(
        "SELECT what, reference FROM bureau.events JOIN bureau.citizens c ON c.id = citizen WHERE id_number = $1",
        person.id_number,
    )
    assert what in ("loss_reported", "loss_undone", "card_activated")
    assert str(reference) == read_back
    used = await caller.saw(ServiceUsed)
    assert used.outcome == "done"


@pytest.mark.parametrize(
    ("key", "person", "said"),
    [
        ("4", MAKING, ("card.in_production", "card.ready_on.1")),
        ("4", READY, ("card.ready.1", "card.ready_on.1")),
        ("4", CARDLESS, ("card.none",)),
        ("5", RETIRED, ("insurance.pension", "insurance.months.1", "insurance.balance.1")),
        ("6", RETIRED, ("pension.paid.1",)),
        ("6", READY, ("pension.none",)),
    ],
    ids=["being made", "ready", "no card", "accounts", "pension", "no pension"],
)
async def test_what_is_known_is_told(hotline: Hotline, key: str, person: Person, said: tuple[str, ...]) -> None:
    async with hotline.caller(key, line=LINE) as caller:
        await logs_in(caller, person)
        await caller.hears(*LOGIN, *said, "answer.again")
        await caller.leave()
