"""Topics, the masked number, and the contract that other systems read."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from calls.facts import AnyFact, NumberBlocked
from cti.bus import contract
from cti.bus.messages import fact_topic, level, masked, public, state_topic
from tests.histories import arrived, ended, owed, refused, stamped

DOCS = Path(__file__).parents[2] / "docs"


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        ("+8613800001111", "+86138****1111"),
        ("+8657188881234", "+86571****1234"),
        ("13800001111", "138****1111"),
        ("95588", "***88"),
        ("1", "1"),
        ("", ""),
    ],
)
def test_a_calling_number_is_masked_as_the_field_does(number: str, shown: str) -> None:
    assert masked(number) == shown


@given(st.from_regex(r"\+?[0-9]{6,15}", fullmatch=True))
def test_at_least_four_digits_of_a_number_are_hidden(number: str) -> None:
    assert masked(number).count("*") >= 4
    assert len(masked(number)) == len(number)


def test_no_fact_goes_out_with_a_whole_calling_number() -> None:
    number = "+8613800001111"
    for fact in stamped([arrived("call1", number), refused("call2"), owed("call1", number), ended("call1", "machine")]):
        assert number.encode() not in msgspec.json.encode(public(fact))


def test_what_was_written_about_a_caller_does_not_go_out() -> None:
    now = datetime(2026, 1, 5, tzinfo=UTC)
    number = "+8613800001111"
    blocked = NumberBlocked(calling_number=number, reason="shouts", by="8001", until=now, review_at=now)
    (fact,) = stamped([blocked])
    shown = msgspec.json.encode(public(fact))
    assert number.encode() not in shown
    assert b"shouts" not in shown


@pytest.mark.parametrize("fact", [fact for fact in get_args(AnyFact) if "calling_number" in fact.__struct_fields__])
def test_each_kind_of_fact_that_has_a_calling_number_hides_it(fact: Any) -> None:
    """Whatever else it says: what it is made of stands for nothing here."""
    number = "+8613800001111"
    (whole,) = stamped([fact(**dict.fromkeys(fact.__struct_fields__, "") | {"calling_number": number})])
    shown: Any = public(whole).fact
    assert shown.calling_number == masked(number)


def test_a_withheld_number_stays_withheld() -> None:
    (fact,) = stamped([arrived("call1", None)])
    assert public(fact) == fact


def test_topics_say_node_and_kind() -> None:
    (fact,) = stamped([arrived("call1")], node="hangzhou")
    assert fact_topic(fact) == "rexian/hangzhou/facts/call_arrived"
    assert state_topic("hangzhou", "queue/社保卡") == "rexian/hangzhou/queue/社保卡"


@given(st.text(), st.text())
def test_any_name_is_one_level_and_no_two_names_are_the_same(one: str, other: str) -> None:
    assert not set(level(one)) & set("/+#\0")
    assert (level(one) == level(other)) == (one == other)


def test_the_contract_is_what_the_classes_say() -> None:
    written = (DOCS / "asyncapi.yaml").read_text(encoding="utf-8")
    assert written == contract.text(), "docs/asyncapi.yaml is stale: python -m cti.bus.contract > docs/asyncapi.yaml"


def test_every_kind_of_fact_is_explained_to_integrators() -> None:
    explained = (DOCS / "mqtt.md").read_text(encoding="utf-8")
    kinds = [str(fact.__struct_config__.tag) for fact in get_args(AnyFact)]
    assert [kind for kind in kinds if f"`{kind}`" not in explained] == []
