"""The branches of a line, read off its file; and the first words of its services."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from calls.facts import ServiceOutcome
from cti.hotline import vocabulary
from cti.settings import CHECKOUT
from ivr.business import Citizen
from ivr.line import Line
from ivr.lines import load_line
from ivr.opening import opening
from ivr.walks import QUEUE, Stop, Walk, to_person, walks
from ivr.window import Window

NOON, NIGHT = datetime(2026, 3, 2, 4, 0, tzinfo=UTC), datetime(2026, 3, 2, 16, 0, tzinfo=UTC)
"""A Monday in China, at noon and at midnight."""

LINE = """number: "12399"
version: "1"
name: 测试
welcome: welcome
notice: {{prompt: notice, version: "1"}}
{more}
menu: main
menus:
  main:
    prompt: menu.main
    choices:
      "1": {{name: cards, queue: cards}}
      "2": {{name: other, menu: other}}
      "3": {{name: others, menu: other}}
  other:
    prompt: menu.other
    choices:
      "1": {{name: hours, say: info.hours}}
      "2": {{name: message, service: voice_message}}
      "3": {{name: complaint, person: true}}
      "4": {{name: loss, service: card_loss}}
{night}
person: general
queues:
  general: {{skills: {{}}, max_waiting: 10}}
  cards: {{skills: {{}}, max_waiting: 10{cards}}}
"""

NIGHT_MENU = """  night:
    prompt: menu.self
    choices:
      "1": {name: documents, say: info.documents}
"""
OFFICE_HOURS = "{weekly: {mon: ['08:30-17:00']}, statutory: false}"


@pytest.fixture
def shipped() -> Line:
    return load_line(CHECKOUT / "lines/12333.line.yaml", *vocabulary())


def made(folder: Path, more: str = "", cards: str = "") -> Line:
    path = folder / "12399.line.yaml"
    path.write_text(LINE.format(more=more, cards=cards, night=NIGHT_MENU if "night:" in more else ""))
    return load_line(path, *vocabulary())


def reached(found: list[Walk]) -> set[str]:
    return {leaf for walk in found for leaf in walk.leaves}


def walk_to(found: list[Walk], leaf: str) -> tuple[Stop, ...]:
    """From the menu on."""
    (walk,) = [walk for walk in found if leaf in walk.leaves[-1:]]
    return walk.stops[3:]


def test_every_key_of_every_menu_is_a_leaf_of_the_shipped_line(shipped: Line) -> None:
    """Whatever is added to it: each choice, and 0, *, #, a wrong and a missing key, and whoever runs out of tries."""
    found, not_now = walks(shipped, NOON)
    ends = [
        f"{name} {key} {choice.name}" for name, menu in shipped.menus.items() for key, choice in menu.choices.items()
    ]
    everywhere = ("0 person", "* again", "# back", "wrong", "missing", "gave up")
    assert reached(found) == {*ends, *(f"{name} {way}" for name in shipped.menus for way in everywhere)}
    assert not_now == []
    assert len({walk.name for walk in found}) == len(found)


def test_a_walk_says_what_to_key_and_what_is_heard(tmp_path: Path) -> None:
    found, not_now = walks(made(tmp_path), NOON)
    assert not_now == []
    assert [stop.hears for stop in found[0].stops[:3]] == [("welcome",), ("notice",), ("menu.main",)]
    hours = walk_to(found, "other 1 hours")
    assert [(stop.key, stop.hears) for stop in hours] == [
        ("2", ("menu.other",)),
        ("1", ("info.hours",)),
        (None, ("menu.other",)),
    ]
    assert walk_to(found, "other 2 message")[-1].hears == ("message.ask",)
    assert walk_to(found, "other 4 loss")[-1].hears == ("id.ask",)
    cards = walk_to(found, "main 1 cards")
    assert (cards[-1].key, cards[-1].hears, cards[-1].rings) == ("1", QUEUE, True)


def test_a_second_key_to_a_menu_is_a_branch_of_its_own(tmp_path: Path) -> None:
    found, _ = walks(made(tmp_path), NOON)
    assert walk_to(found, "main 3 others") == (Stop(("menu.other",), key="3", leaf="main 3 others"),)
    assert all("main 2 other" not in walk.leaves[-1:] for walk in found), "whoever goes on from there has come by it"


def test_bad_manners_are_walked_in_one_call_and_end_where_they_began(tmp_path: Path) -> None:
    found, _ = walks(made(tmp_path), NOON)
    (manners,) = [walk for walk in found if walk.name == "other manners"]
    assert [(stop.key, *stop.hears) for stop in manners.stops[4:]] == [
        (None, "key.missing"),
        (None, "menu.other"),
        ("*", "menu.other"),
        ("9", "key.wrong"),
        (None, "menu.other"),
        ("#", "menu.main"),
    ]
    gives_up = walk_to(found, "other gave up")
    assert [(stop.key, stop.hears[0]) for stop in gives_up[1:]] == [
        ("9", "key.wrong"),
        ("9", "key.wrong"),
        ("9", "key.three_tries"),
        (None, "queue.enter"),
    ]
    assert [stop.rings for stop in gives_up] == [False, False, False, True, True]


def test_back_leads_to_the_menu_before(shipped: Line) -> None:
    found, _ = walks(shipped, NOON)
    back = {walk.name: walk.stops[-1].hears for walk in found if walk.name.endswith("manners")}
    assert (back["main manners"], back["self manners"], back["card manners"]) == (
        ("menu.main",),
        ("menu.main",),
        ("menu.self",),
    )


@pytest.mark.parametrize(("tries", "leaves"), [(1, {"again", "back"}), (2, {"again", "back", "missing"})])
def test_with_few_tries_nothing_is_walked_that_would_use_them_up(tmp_path: Path, tries: int, leaves: set[str]) -> None:
    found, _ = walks(made(tmp_path, f"tries: {tries}"), NOON)
    (manners,) = [walk for walk in found if walk.name == "main manners"]
    assert {leaf.split()[-1] for leaf in manners.leaves} == leaves


def test_at_night_the_menu_of_the_night_is_walked_and_nobody_is_rung(tmp_path: Path) -> None:
    line = made(tmp_path, f"hours: {OFFICE_HOURS}\nnight: night")
    found, not_now = walks(line, NIGHT)
    assert not_now == ["main", "other"]
    assert [stop.hears for stop in found[0].stops[:4]] == [("welcome",), ("notice",), ("queue.closed",), ("menu.self",)]
    assert not any(walk.rings for walk in found)
    assert walk_to(found, "night 0 person")[-1].hears == ("message.night",)
    assert to_person(line, NIGHT) is None
    assert walks(line, NOON).not_now == ["night"]


def test_a_closed_line_without_a_menu_of_the_night_says_goodbye(tmp_path: Path) -> None:
    found, not_now = walks(made(tmp_path, f"hours: {OFFICE_HOURS}"), NIGHT)
    (walk,) = found
    assert [stop.hears for stop in walk.stops] == [("welcome",), ("notice",), ("queue.closed",), ("goodbye",)]
    assert walk.leaves == ("closed",)
    assert not_now == ["main", "other"]


def test_a_queue_whose_hours_are_over_leads_to_a_message(tmp_path: Path) -> None:
    found, _ = walks(made(tmp_path, cards=", hours: {weekly: {tue: ['08:30-17:00']}, statutory: false}"), NOON)
    assert [stop.hears for stop in walk_to(found, "main 1 cards")] == [("queue.closed",), ("message.night",)]
    assert walk_to(found, "main 0 person")[-1].hears == QUEUE


def test_each_language_is_chosen_once_and_the_notice_heard_in_it(tmp_path: Path) -> None:
    more = 'languages: {"7": {language: en, advisers: false}, "8": {language: yue, advisers: false}}'
    found, _ = walks(made(tmp_path, more), NOON)
    (cantonese,) = [walk for walk in found if walk.name == "language 8 yue"]
    assert [(stop.key, *stop.hears, stop.language) for stop in cantonese.stops[2:]] == [
        (None, "language.offer", None),
        ("8", "notice", "yue"),
        (None, "menu.main", "yue"),
    ]
    assert found[0].stops[2].passing == ("language.offer",), "whoever keys none hears the offers, too"


def test_the_way_to_a_person_is_the_shortest(shipped: Line) -> None:
    way = to_person(shipped, NOON)
    assert way is not None
    assert [(stop.key, *stop.hears) for stop in way.stops] == [
        (None, "welcome"),
        (None, "notice"),
        (None, "menu.main"),
        ("0", "seat.number"),
    ]


def test_the_first_words_of_a_service_are_found_out_by_beginning_it(shipped: Line) -> None:
    assert opening("card_loss", shipped) == ("id.ask",)
    assert opening("voice_message", shipped) == ("message.ask",)


def test_a_service_that_cannot_be_begun_without_a_call_has_no_first_words(
    shipped: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def looks_something_up(window: Window) -> ServiceOutcome:
        await window.caller.while_waiting(window.business.insurances(Citizen("word")))
        return "done"

    async def says_nothing(window: Window) -> ServiceOutcome:
        return "done"

    monkeypatch.setattr("ivr.opening.SERVICES", {"asks": looks_something_up, "silent": says_nothing})
    assert opening("asks", shipped) is None
    assert opening("silent", shipped) is None
