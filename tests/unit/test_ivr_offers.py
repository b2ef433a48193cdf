"""The offer to have an answer by text: when it is made, to whom it goes, what it says."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from bureau.people import DEMO_PIN, Person, demo
from ivr.business import NotAvailable
from ivr.flow import run_line
from ivr.line import Choice, Menu
from ivr.lines import load_lines
from ivr.texts import Said, Text
from prompts.catalogue import CATALOGUE, Catalogue
from tests.fakes.business import TODAY, FakeBusiness
from tests.fakes.caller import ScriptedCaller
from tests.fakes.texts import FakeTexts

LINE = load_lines(Path(__file__).parents[2] / "lines", Catalogue.load(CATALOGUE).sentences["zh-CN"])["12333"]
RETIRED, LOSER, _, _, ISSUED, FOUND, _, _ = demo(TODAY)
"""FOUND's account is bound to no number; ISSUED has all five insurances."""


async def served(
    service: str, person: Person, *keys: str | None, texts: FakeTexts, business: FakeBusiness | None = None
) -> ScriptedCaller:
    """Somebody shows who they are, is served, keys this, and then asks for a person."""
    menu = Menu("menu.main", {"1": Choice(name="it", service=service)})
    line = replace(LINE, menu="main", menus={"main": menu})
    caller = ScriptedCaller(["1", *person.id_number.replace("X", "*"), *DEMO_PIN, *keys, "0"])
    await run_line(caller.window(line, business=business or FakeBusiness(), texts=texts))
    return caller


@pytest.mark.parametrize(
    ("service", "person", "said"),
    [("card_loss", LOSER, "已经挂失。受理号是{}，"), ("card_activation", ISSUED, "已经激活。受理号是{}。")],
)
async def test_what_was_said_goes_to_the_number_that_is_bound(service: str, person: Person, said: str) -> None:
    texts = FakeTexts()
    caller = await served(service, person, "1", "#", texts=texts)

    assert caller.said[-5:-1] == ["text.offer", "answer.again", "text.promised", "answer.again"]
    assert list(texts.inbox) == [person.bound_number]
    [text] = texts.inbox[person.bound_number or ""]
    assert said.format(caller.values["reference"]) in text
    assert [(text.about, text.whose, text.call_id) for text in texts.queued] == [("it", "bound", "call-1")]


async def test_it_is_offered_again_with_the_answer_until_it_is_taken() -> None:
    texts = FakeTexts()
    caller = await served("card_loss", LOSER, "*", "1", "*", "#", texts=texts)
    told = [said for said in caller.said if said in ("loss.done", "text.offer", "text.promised")]
    assert told == ["loss.done", "text.offer", "loss.done", "text.offer", "text.promised", "loss.done"]
    assert len(texts.queued) == 1


async def test_a_pension_and_all_accounts_fit_into_a_text() -> None:
    texts = FakeTexts()
    await served("pension", RETIRED, "1", texts=texts)
    await served("accounts", RETIRED, "1", texts=texts)
    pension, accounts = texts.inbox[RETIRED.bound_number or ""]
    assert pension.startswith("您的养老金每月¥")
    assert accounts.startswith("养老保险。")
    assert "医疗保险。" in accounts


@pytest.mark.parametrize("language", ["zh-CN", "en", "yue"])
async def test_all_five_accounts_fit_into_a_text_in_every_language(language: str) -> None:
    texts = FakeTexts()
    menu = Menu("menu.main", {"1": Choice(name="it", service="accounts")})
    line = replace(LINE, menu="main", menus={"main": menu}, language=language)
    caller = ScriptedCaller(["1", *ISSUED.id_number, *DEMO_PIN, "1", "0"])
    await run_line(caller.window(line, business=FakeBusiness(), texts=texts))
    [accounts] = texts.inbox[ISSUED.bound_number or ""]
    assert sum(said.startswith("insurance.months") for said in caller.said) == 5
    assert len(accounts) < 950, "a carrier takes 1,000 characters, and the signature is before it"


async def test_whose_account_is_bound_to_no_number_is_offered_nothing_and_1_does_nothing() -> None:
    texts = FakeTexts()
    caller = await served("card_found", FOUND, "1", texts=texts)
    assert "text.offer" not in caller.said
    assert texts.queued == []


async def test_while_no_text_can_be_sent_none_is_offered() -> None:
    texts = FakeTexts()
    texts.offered = False
    caller = await served("card_loss", LOSER, "1", texts=texts)
    assert "text.offer" not in caller.said
    assert texts.queued == []


class NumberAway(FakeBusiness):
    """Does everything but tell the number."""

    async def bound_number(self, identity: object) -> str | None:
        raise NotAvailable("away")


async def test_what_is_done_stays_done_when_the_number_cannot_be_had() -> None:
    business = NumberAway()
    caller = await served("card_loss", LOSER, "#", texts=FakeTexts(), business=business)
    assert [what for _, what in business.events] == ["loss_reported"]
    assert "loss.done" in caller.said
    assert not {"text.offer", "business.unavailable"} & set(caller.said)


async def test_what_is_not_on_the_disk_is_not_promised() -> None:
    texts = FakeTexts()
    caller = ScriptedCaller(["1", *LOSER.id_number, *DEMO_PIN, "1", "0"])
    caller.disk_full = True
    menu = Menu("menu.main", {"1": Choice(name="it", service="card_loss")})
    await run_line(
        caller.window(replace(LINE, menu="main", menus={"main": menu}), business=FakeBusiness(), texts=texts)
    )
    assert "text.promised" not in caller.said
    assert "text.unavailable" in caller.said


async def test_a_text_is_in_the_language_of_the_call() -> None:
    texts = FakeTexts()
    menu = Menu("menu.main", {"1": Choice(name="it", service="card_loss")})
    line = replace(LINE, menu="main", menus={"main": menu}, language="en")
    caller = ScriptedCaller(["1", *LOSER.id_number, *DEMO_PIN, "1", "0"])
    await run_line(caller.window(line, business=FakeBusiness(), texts=texts))
    [text] = texts.inbox[LOSER.bound_number or ""]
    assert text.startswith("Your social security card is blocked. The reference number is ")


def test_nothing_of_a_text_is_in_its_repr() -> None:
    text = Text("call", "pension", "+8613800000001", "bound", "zh-CN", (Said("pension.paid", {"amount": 312_050}),))
    assert repr(text) == "Text(call, pension, bound)"
    assert repr(text.said) == "(Said(pension.paid),)"
