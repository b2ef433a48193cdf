"""Services of the machine: what is asked of the business system, in which order, and what the caller hears of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any, cast

import pytest
from msgspec.structs import replace

from calls.errors import RexianError
from calls.facts import MenuStepTaken, ServiceUsed
from calls.words import Needs
from ivr.business import (
    Business,
    Card,
    CardState,
    Citizen,
    Contribution,
    Done,
    Identity,
    Insurance,
    NotAllowed,
    NotAvailable,
    OutcomeUnknown,
    Pension,
)
from ivr.flow import run_line
from ivr.line import Choice, Menu
from ivr.lines import load_lines
from ivr.next import JoinQueue
from ivr.services import SERVICES
from prompts.catalogue import CATALOGUE, Catalogue
from tests.fakes.caller import ScriptedCaller

WORDS = Catalogue.load(CATALOGUE).sentences["zh-CN"]
SHIPPED = load_lines(Path(__file__).parents[2] / "lines", WORDS)["12333"]
PERSON = JoinQueue(Needs(skills={}, queue="general"))
LOGIN = [*"990101195003070017", *"246810"]


class Bureau:
    """Knows one citizen, and does what the test says."""

    def __init__(self, trouble: RexianError | None = None, **has: Any) -> None:
        self.trouble, self.has = trouble, has
        self.writes: list[tuple[str, str]] = []

    async def verify(self, identity: Identity, pin: str) -> Citizen | None:
        return "citizen" if pin == "246810" else None

    async def card(self, citizen: Citizen) -> Card | None:
        return cast(Card | None, self._read("card", citizen))

    async def insurances(self, citizen: Citizen) -> Sequence[Insurance]:
        return cast(Sequence[Insurance], self._read("insurances", citizen))

    async def pension(self, citizen: Citizen) -> Pension | None:
        return cast(Pension | None, self._read("pension", citizen))

    async def contributions(self, citizen: Citizen, year: int) -> Sequence[Contribution]:
        paid = cast(Sequence[Contribution], self._read("contributions", citizen))
        return [one for one in paid if one.month.year == year]

    async def report_loss(self, citizen: Citizen, key: str) -> Done:
        return self._write("report_loss", key)

    async def undo_loss(self, citizen: Citizen, key: str) -> Done:
        return self._write("undo_loss", key)

    async def activate_card(self, citizen: Citizen, key: str) -> Done:
        return self._write("activate_card", key)

    def _read(self, what: str, citizen: Citizen) -> object:
        assert citizen == "citizen"
        if self.trouble:
            raise self.trouble
        return self.has.get(what)

    def _write(self, what: str, key: str) -> Done:
        self.writes.append((what, key))
        if self.trouble:
            raise self.trouble
        return Done("20261128001")


async def served(service: str, bureau: Bureau, *keys: str | None) -> ScriptedCaller:
    """A caller who chooses this service, shows who they are, and then keys this."""
    menu = Menu("menu.main", {"1": Choice(name="it", service=service)})
    line = replace(SHIPPED, menu="main", menus={"main": menu})
    caller = ScriptedCaller(["1", *LOGIN, *keys])
    assert await run_line(caller.window(line, business=cast(Business, bureau))) == PERSON
    for sentence in caller.said:
        WORDS[sentence].render(caller.values)
    return caller


def came_of_it(caller: ScriptedCaller) -> list[str]:
    return [fact.outcome for fact in caller.facts if isinstance(fact, ServiceUsed)]


@pytest.mark.parametrize(
    ("service", "asked", "said"),
    [
        ("card_loss", "report_loss", "loss.done"),
        ("card_found", "undo_loss", "found.done"),
        ("card_activation", "activate_card", "activation.done"),
    ],
)
async def test_what_is_changed_is_changed_once_and_its_number_read_back(service: str, asked: str, said: str) -> None:
    bureau = Bureau()
    caller = await served(service, bureau, "*", "*", "#", "0")
    assert bureau.writes == [(asked, f"call-1.{service}")]
    assert caller.said[3:] == [
        "id.ask",
        "pin.ask",
        "id.passed",
        *[said, "answer.again"] * 2,
        "slow.begun",
        said,
        "answer.again",
        "menu.main",
    ]
    assert caller.values["reference"] == "20261128001"
    assert came_of_it(caller) == ["done"]


async def test_0_after_an_answer_is_a_person() -> None:
    caller = await served("card_loss", Bureau(), "0")
    assert caller.said[-1] == "answer.again"
    assert came_of_it(caller) == ["done"]


@pytest.mark.parametrize(
    ("trouble", "said", "outcome"),
    [
        (NotAvailable("away"), "business.unavailable", "unavailable"),
        (OutcomeUnknown("lost"), "business.unknown", "unknown"),
    ],
)
async def test_what_is_not_known_to_be_done_is_never_said_to_be_and_a_person_goes_on(
    trouble: RexianError, said: str, outcome: str
) -> None:
    caller = await served("card_loss", Bureau(trouble))
    assert caller.said[-1] == said
    assert "loss.done" not in caller.said
    assert came_of_it(caller) == [outcome]
    assert len([fact for fact in caller.facts if isinstance(fact, MenuStepTaken)]) == 1, "no key was needed"


async def test_what_the_system_refuses_is_said() -> None:
    caller = await served("card_found", Bureau(NotAllowed("it is not blocked")), "0")
    assert caller.said[-2:] == ["business.refused", "menu.main"]
    assert came_of_it(caller) == ["refused"]


async def test_nobody_is_told_anything_before_they_have_shown_who_they_are() -> None:
    bureau = Bureau()
    menu = Menu("menu.main", {"1": Choice(name="it", service="card_loss")})
    caller = ScriptedCaller(["1", *[*LOGIN[:18], *"111222"] * 3, "0"])
    line = replace(SHIPPED, menu="main", menus={"main": menu})
    assert await run_line(caller.window(line, business=cast(Business, bureau))) == PERSON
    assert bureau.writes == []
    assert came_of_it(caller) == ["not_identified"]


@pytest.mark.parametrize("state", ["in_production", "ready", "issued", "active", "lost", "cancelled"])
async def test_where_a_card_is(state: CardState) -> None:
    caller = await served("card_progress", Bureau(card=Card(state, "4321", date(2026, 12, 1))), "#", "0")
    assert caller.said[6:8] == [f"card.{state}", "card.ready_on"]
    caller = await served("card_progress", Bureau(card=Card(state, "4321")), "#", "0")
    assert caller.said[6:8] == [f"card.{state}", "answer.again"]


async def test_who_has_no_card_no_insurance_no_pension_is_told_so() -> None:
    assert "card.none" in (await served("card_progress", Bureau(), "#", "0")).said
    assert "insurance.none" in (await served("accounts", Bureau(insurances=[]), "#", "0")).said
    assert "pension.none" in (await served("pension", Bureau(), "#", "0")).said


async def test_each_account_is_said_with_all_that_is_known_of_it() -> None:
    accounts = [
        Insurance("pension", True, 182, 4_321_005, 98_700, date(2026, 10, 1)),
        Insurance("medical", False, 12, 150, None, None),
        Insurance("injury", True, 1, None, 1_200, date(2026, 10, 1)),
    ]
    caller = await served("accounts", Bureau(insurances=accounts), "#", "0")
    assert caller.said[6:-1] == [
        *("insurance.pension", "insurance.paying", "insurance.months", "insurance.balance", "insurance.last"),
        *("insurance.medical", "insurance.stopped", "insurance.months", "insurance.balance"),
        *("insurance.injury", "insurance.paying", "insurance.months", "insurance.last"),
        "answer.again",
    ]


async def test_what_a_pension_is() -> None:
    caller = await served("pension", Bureau(pension=Pension(312_050, date(2026, 11, 15))), "#", "0")
    assert caller.said[6:-1] == ["pension.paid", "answer.again"]
    assert (caller.values["amount"], caller.values["day"]) == (312_050, date(2026, 11, 15))


def test_these_are_the_services() -> None:
    documented = (Path(__file__).parents[2] / "docs" / "lines.md").read_text(encoding="utf-8")
    assert [name for name in SERVICES if f"`{name}`" not in documented] == []
