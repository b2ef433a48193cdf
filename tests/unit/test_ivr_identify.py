"""How a caller shows who they are: what is keyed, how it ends, and that all of it is private."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bureau.people import DEMO_PIN, demo
from ivr.business import Business, Citizen, Identity
from ivr.identify import identified
from ivr.keying import is_id_number
from ivr.lines import load_lines
from prompts.catalogue import CATALOGUE, Catalogue
from tests.fakes.business import TODAY, FakeBusiness
from tests.fakes.caller import CODE, ScriptedCaller
from tests.fakes.texts import FakeTexts

LINE = load_lines(Path(__file__).parents[2] / "lines", Catalogue.load(CATALOGUE).sentences["zh-CN"])["12333"]

PERSON, WITH_X = "990101195003070017", "99010119500307005X"
PIN, WRONG = "246810", "111222"
SOMEBODY, UNBOUND = demo(TODAY)[1], demo(TODAY)[5]


class Bureau:
    """Two people with one PIN; keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, str]] = []

    async def verify(self, identity: Identity, pin: str) -> Citizen | None:
        self.asked.append((identity.kind, identity.number, pin))
        return "citizen" if pin == PIN else None


async def identify(*keys: str | None) -> tuple[Citizen | None, ScriptedCaller, Bureau]:
    """What comes of it when the caller keys all this, one after the other; None is a while without a key."""
    bureau = Bureau()
    answers = [key for some in keys for key in (some or [None])]
    caller = ScriptedCaller(answers)
    found = await identified(caller.window(LINE, business=cast(Business, bureau)))
    assert caller.keyed_in_private == len(caller.waits_s), "something was keyed that was not private"
    return found, caller, bureau


@pytest.mark.parametrize("number", [PERSON, WITH_X])
async def test_an_id_number_ends_by_itself_and_star_is_its_x(number: str) -> None:
    found, caller, bureau = await identify(number.replace("X", "*"), PIN)
    assert (found, bureau.asked) == ("citizen", [("id_card", number, PIN)])
    assert caller.said == ["id.ask", "pin.ask", "id.passed"]


async def test_a_card_number_is_ended_with_hash() -> None:
    found, _, bureau = await identify("62170000001234#", PIN)
    assert (found, bureau.asked) == ("citizen", [("card", "62170000001234", PIN)])


async def test_a_hash_after_a_number_that_was_whole_answers_nothing_else() -> None:
    found, caller, bureau = await identify(f"{PERSON}#", PIN)
    assert (found, bureau.asked) == ("citizen", [("id_card", PERSON, PIN)])
    caller = ScriptedCaller([*PERSON, *PIN], pressed_during={"id.passed": "#0"})
    await identified(caller.window(LINE, business=cast(Business, Bureau())))
    assert not caller.waiting_keys


async def test_star_begins_anew() -> None:
    found, _, bureau = await identify("9901*", PERSON, "2468*", PIN)
    assert (found, bureau.asked) == ("citizen", [("id_card", PERSON, PIN)])


async def test_a_wrong_digit_is_found_before_anybody_is_asked() -> None:
    wrong = PERSON[:-1] + "8"
    found, caller, bureau = await identify(f"{wrong}#", PERSON, PIN)
    assert (found, len(bureau.asked)) == ("citizen", 1)
    assert caller.said == ["id.ask", "id.wrong", "pin.ask", "id.passed"]


async def test_a_hash_too_many_after_a_wrong_pin_is_not_the_next_number() -> None:
    bureau = Bureau()
    caller = ScriptedCaller([*PERSON, *WRONG, *PERSON, *PIN], pressed_during={"id.failed": "#7"})
    assert await identified(caller.window(LINE, business=cast(Business, bureau))) == "citizen"
    assert caller.said == ["id.ask", "pin.ask", "id.failed", "id.ask", "pin.ask", "id.passed"]


async def test_a_wrong_pin_may_be_tried_three_times_in_a_call() -> None:
    found, caller, bureau = await identify(*[PERSON, WRONG] * 3)
    assert (found, len(bureau.asked)) == (None, 3)
    assert caller.said == ["id.ask", "pin.ask", "id.failed"] * 3 + ["id.locked"]


@pytest.mark.parametrize("keys", [(), ("1234#", None, None), (PERSON, None, None, None), (PERSON, "12#", "3#", "4#")])
async def test_who_keys_no_whole_number_is_led_on(keys: tuple[str | None, ...]) -> None:
    found, caller, bureau = await identify(*keys)
    assert (found, bureau.asked) == (None, [])
    assert caller.said[-1] == "id.nothing"


async def by_code(*keys: str | None, bound: bool = True) -> tuple[Citizen | None, ScriptedCaller, FakeTexts]:
    """A caller who keys this, where texts can be sent."""
    texts, business = FakeTexts(), FakeBusiness()
    person = SOMEBODY if bound else UNBOUND
    answers = [key for some in (person.id_number.replace("X", "*"), *keys) for key in (some or [None])]
    caller = ScriptedCaller(answers)
    found = await identified(caller.window(LINE, business=business, texts=texts))
    assert caller.keyed_in_private == len(caller.waits_s), "something was keyed that was not private"
    return found, caller, texts


async def test_who_has_forgotten_the_pin_is_sent_a_code() -> None:
    found, caller, texts = await by_code("*", CODE)
    assert found
    assert caller.said == ["id.ask", "pin.ask", "pin.forgotten", "code.ask", "id.passed"]
    assert [CODE in text for text in texts.inbox[SOMEBODY.bound_number or ""]] == [True]


async def test_a_code_is_waited_for_and_its_length_is_told() -> None:
    found, caller, _ = await by_code("*", None, "27#", CODE)
    assert found
    assert caller.said[3:] == ["code.ask", "code.again", "code.wrong", "id.passed"]


async def test_whose_account_has_no_number_hears_what_everybody_hears() -> None:
    found, caller, texts = await by_code("*", "111111", bound=False)
    wrong, heard, _ = await by_code("*", "111111")
    assert (found, wrong, caller.said, caller.waits_s) == (None, None, heard.said, heard.waits_s)
    assert caller.said[3:5] == ["code.ask", "id.failed"]
    assert texts.secrets == []


async def test_who_gets_no_code_is_led_on() -> None:
    found, caller, _ = await by_code("*", None, None, None)
    assert (found, caller.said[-1]) == (None, "id.nothing")


async def test_star_after_a_digit_begins_the_pin_anew_and_asks_for_no_code() -> None:
    found, _, texts = await by_code("1*", DEMO_PIN)
    assert found
    assert texts.secrets == []


async def test_where_no_text_can_be_sent_star_only_begins_anew() -> None:
    found, caller, _ = await identify(PERSON, "*", PIN)
    assert found == "citizen"
    assert "pin.forgotten" not in caller.said


async def test_who_is_known_already_is_not_asked_again() -> None:
    bureau = Bureau()
    caller = ScriptedCaller([*PERSON, *PIN])
    window = caller.window(LINE, business=cast(Business, bureau))
    assert await identified(window) == await identified(window) == "citizen"
    assert len(bureau.asked) == 1


@pytest.mark.parametrize(
    ("number", "right"),
    [
        (PERSON, True),
        (WITH_X, True),
        ("11010519491231002X", True),
        (PERSON[:-1] + "8", False),
        ("990101195013070017", False),
        (PERSON[:-1], False),
        ("9901011950030700a7", False),
        ("", False),
    ],
    ids=["digits", "X", "the standard's own example", "checksum", "month 13", "short", "a letter", "nothing"],
)
def test_what_can_be_an_id_number(number: str, right: bool) -> None:
    assert is_id_number(number) is right


@given(st.integers(0, 16), st.integers(1, 9))
def test_one_wrong_digit_is_always_found(place: int, more: int) -> None:
    """ISO 7064 MOD 11-2 finds every single error."""
    digit = str((int(PERSON[place]) + more) % 10)
    assert not is_id_number(PERSON[:place] + digit + PERSON[place + 1 :])
