"""密码重置 What is asked for another PIN, in which order, and that nothing changes before all of it was right."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from bureau.people import DEMO_PIN, demo
from calls.facts import ServiceUsed
from ivr.business import Citizen, Done, Identity, OutcomeUnknown
from ivr.flow import run_line
from ivr.line import Choice, Menu
from ivr.lines import load_lines
from prompts.catalogue import CATALOGUE, Catalogue
from tests.fakes.business import TODAY, FakeBusiness
from tests.fakes.caller import CODE, ScriptedCaller
from tests.fakes.texts import FakeTexts

LINE = load_lines(Path(__file__).parents[2] / "lines", Catalogue.load(CATALOGUE).sentences["zh-CN"])["12333"]
SOMEBODY = demo(TODAY)[1]
IDENTITY = Identity("id_card", SOMEBODY.id_number)
NEW, OTHER = "314159", "161803"
LOGIN = ["id.ask", "code.ask", "id.passed"]


class Reset:
    """One caller who asked for it, and keys this after the code; what came of it."""

    def __init__(self, business: FakeBusiness | None = None) -> None:
        self.business, self.texts = business or FakeBusiness(), FakeTexts()
        self.caller = ScriptedCaller()

    async def keys(self, *keys: str | None, code: str = CODE) -> str:
        menu = Menu("menu.main", {"1": Choice(name="it", service="pin_reset")})
        answers = [key for some in (SOMEBODY.id_number, code, *keys) for key in (some or [None])]
        self.caller.answers.extend(["1", *answers, "0"])
        line = replace(LINE, menu="main", menus={"main": menu})
        await run_line(self.caller.window(line, business=self.business, texts=self.texts))
        [outcome] = [fact.outcome for fact in self.caller.facts if isinstance(fact, ServiceUsed)]
        return outcome

    @property
    def said(self) -> list[str]:
        """After welcome, notice and menu."""
        return self.caller.said[3:]

    async def pin_is(self, pin: str) -> bool:
        return await self.business.verify(IDENTITY, pin) is not None


async def test_keyed_twice_it_is_the_pin_from_then_on() -> None:
    reset = Reset()
    assert await reset.keys(NEW, NEW, "#") == "done"
    assert reset.said[:-1] == [*LOGIN, "pin.new", "pin.repeat", "pin.changed", "answer.again"]
    assert await reset.pin_is(NEW)
    assert not await reset.pin_is(DEMO_PIN)


async def test_everything_that_is_secret_is_keyed_in_private() -> None:
    reset = Reset()
    await reset.keys(NEW, OTHER, NEW, NEW, "#")
    secret_keys = len(SOMEBODY.id_number) + len(CODE) + 4 * len(NEW)
    assert reset.caller.keyed_in_private == secret_keys


async def test_two_that_differ_are_asked_for_again() -> None:
    reset = Reset()
    assert await reset.keys(NEW, OTHER, OTHER, OTHER, "#") == "done"
    assert reset.said[3:8] == ["pin.new", "pin.repeat", "pin.differs", "pin.new", "pin.repeat"]
    assert await reset.pin_is(OTHER)


async def test_one_that_is_too_easy_is_refused_and_asked_for_again() -> None:
    reset = Reset()
    assert await reset.keys("111111", "111111", NEW, NEW, "#") == "done"
    assert reset.said[3:8] == ["pin.new", "pin.repeat", "pin.easy", "pin.new", "pin.repeat"]
    assert await reset.pin_is(NEW)


@pytest.mark.parametrize(
    "keys",
    [
        ("111111", "111111", "123456", "123456", "654321", "654321"),
        (None, None, None),
        (NEW, None, None, None),
        ("12#", "3#", "4#"),
        (NEW, OTHER) * 3,
    ],
    ids=["too easy", "nothing", "only once", "too short", "never the same"],
)
async def test_without_a_good_one_keyed_twice_nothing_changes_and_that_is_said(keys: tuple[str | None, ...]) -> None:
    reset = Reset()
    assert await reset.keys(*keys) == "gave_up"
    assert "pin.unchanged" in reset.said
    assert await reset.pin_is(DEMO_PIN)


async def test_a_wrong_code_changes_nothing() -> None:
    reset = Reset()
    assert await reset.keys(code="111111") == "not_identified"
    assert reset.said[:3] == ["id.ask", "code.ask", "id.failed"]
    assert "pin.new" not in reset.said
    assert reset.business.events == []


async def test_where_no_text_can_be_sent_nothing_is_asked() -> None:
    reset = Reset()
    reset.texts.offered = False
    assert await reset.keys() == "unavailable"
    assert reset.said == ["business.unavailable"]


async def test_who_is_known_by_the_pin_shows_it_by_a_code_all_the_same() -> None:
    """Whoever has overheard a PIN must not be able to change it."""
    texts, business = FakeTexts(), FakeBusiness()
    choices = {"1": Choice(name="look", service="pension"), "2": Choice(name="reset", service="pin_reset")}
    line = replace(LINE, menu="main", menus={"main": Menu("menu.main", choices)})
    caller = ScriptedCaller(["1", *SOMEBODY.id_number, *DEMO_PIN, "#", "2", *SOMEBODY.id_number, *"111111"])
    await run_line(caller.window(line, business=business, texts=texts))
    assert caller.said.count("code.ask") == 1
    assert "pin.new" not in caller.said


class AnswerLost(FakeBusiness):
    """Sets it, and nobody hears of it."""

    async def reset_pin(self, citizen: Citizen, pin: str, key: str) -> Done:
        await super().reset_pin(citizen, pin, key)
        raise OutcomeUnknown("lost")


async def test_what_is_not_known_to_be_done_is_said_to_be_unknown() -> None:
    reset = Reset(AnswerLost())
    assert await reset.keys(NEW, NEW) == "unknown"
    assert reset.said[-1] == "business.unknown"
    assert "pin.unchanged" not in reset.said
