"""The scripts of callers who key anything: the same from the same seed, and deep enough to be worth a call."""

from __future__ import annotations

from datetime import date
from itertools import islice
from pathlib import Path

import pytest

from bureau.people import generate
from cti.hotline import vocabulary
from ivr.lines import load_lines
from tests.soak.scripts import AT_A_KEY_S, KEYS, Script, leaves, script_of

LINES = load_lines(Path(__file__).parents[2] / "lines", *vocabulary())
PEOPLE = list(islice(generate(60, date(2026, 11, 20)), 8, None))
MANY = 500


def scripts(seed: int = 1) -> list[Script]:
    return [script_of(seed, number, LINES, PEOPLE, 45.0) for number in range(MANY)]


def keyed(script: Script) -> str:
    return "".join(step.keys for step in script.steps)


def test_a_seed_makes_the_same_scripts_and_another_one_others() -> None:
    assert scripts() == scripts()
    assert scripts() != scripts(2)


def test_every_leaf_of_the_menus_is_found_with_its_keys() -> None:
    line = LINES["12333"]
    found = dict(leaves(line))
    assert {choice.name for choice in found.values()} >= {"cards", "card_progress", "message", "pension"}
    for keys, leaf in found.items():
        menu = line.menu
        for key in keys:
            assert menu is not None
            choice = line.menus[menu].choices[key]
            menu = choice.menu
        assert choice == leaf


@pytest.mark.parametrize(
    ("what", "least"),
    [
        (lambda script: any(one.id_number.replace("X", "*") in keyed(script) for one in PEOPLE), 0.2),
        (lambda script: any(one.pin in keyed(script) for one in PEOPLE), 0.15),
        (lambda script: script.leaves_s <= AT_A_KEY_S, 0.2),
        (lambda script: not script.steps, 0.02),
        (lambda script: any(not step.listens and len(step.keys) > 4 for step in script.steps), 0.1),
    ],
    ids=["a number", "a PIN", "leaves at a key", "leaves at once", "keys unasked"],
)
def test_enough_of_them_do_it(what: object, least: float) -> None:
    assert callable(what)
    assert sum(map(what, scripts())) > least * MANY


def test_only_keys_that_a_telephone_has_are_pressed() -> None:
    assert set("".join(map(keyed, scripts()))) == set(KEYS)
