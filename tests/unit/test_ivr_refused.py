"""A refused number hears one honest sentence, and reaches the crisis queue by one key all the same."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from msgspec.structs import replace

from calls.facts import NoticeHeard
from ivr.hours import Hours
from ivr.line import Choice, Line, Menu, Notice, Queue
from ivr.next import Finished, JoinQueue
from ivr.refused import Refusal, tell_refused
from prompts.catalogue import CATALOGUE, Catalogue
from tests.fakes.caller import ScriptedCaller

DAYTIME = Hours(weekly={"mon": ("08:30-12:00",)})
OPEN, CLOSED = datetime(2026, 11, 23, 2, 0, tzinfo=UTC), datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
LINE = Line(
    number="12333",
    version="1",
    name="test",
    welcome="welcome",
    notice=Notice("notice", "1"),
    menu="main",
    menus={
        "main": Menu("menu.main", {"1": Choice("general", queue="general"), "2": Choice("other", menu="other")}),
        "other": Menu("menu.other", {"9": Choice("crisis", queue="crisis")}),
    },
    queues={"general": Queue({}, 9), "crisis": Queue({"crisis": 1}, 9, urgency="crisis")},
    person="general",
)
NO_CRISIS = replace(LINE, menus={"main": Menu("menu.main", {"1": Choice("general", queue="general")})})


@pytest.mark.parametrize("why", ["blocked", "redials"])
async def test_whoever_is_in_danger_reaches_the_crisis_queue(why: Refusal) -> None:
    caller = ScriptedCaller(["1"])
    found = await tell_refused(caller.window(LINE), why)
    assert isinstance(found, JoinQueue)
    assert (found.needs.queue, found.needs.urgency) == ("crisis", "crisis")
    assert caller.said == [f"refused.{why}", "refused.crisis", "notice"]
    assert [fact.whole for fact in caller.facts if isinstance(fact, NoticeHeard)] == [True]


@pytest.mark.parametrize(
    ("answers", "reached", "said"),
    [
        ([None], False, ["refused.blocked", "refused.crisis", "goodbye"]),
        (["0", "1"], True, ["refused.blocked", "refused.crisis", "refused.crisis", "notice"]),
        (["0", "5"], False, ["refused.blocked", "refused.crisis", "refused.crisis", "goodbye"]),
        (["*", None], False, ["refused.blocked", "refused.crisis", "refused.crisis", "goodbye"]),
    ],
)
async def test_no_other_key_leads_anywhere(answers: list[str | None], reached: bool, said: list[str]) -> None:
    caller = ScriptedCaller(answers)
    assert isinstance(await tell_refused(caller.window(LINE), "blocked"), JoinQueue) == reached
    assert caller.said == said


async def test_the_key_need_not_wait_for_the_end_of_the_sentence() -> None:
    caller = ScriptedCaller(pressed_during={"refused.blocked": "1"})
    assert isinstance(await tell_refused(caller.window(LINE), "blocked"), JoinQueue)
    assert caller.said == ["refused.blocked", "notice"]


@pytest.mark.parametrize(
    ("line", "at"),
    [
        (NO_CRISIS, OPEN),
        (replace(LINE, hours=DAYTIME), CLOSED),
        (replace(LINE, queues=LINE.queues | {"crisis": replace(LINE.queues["crisis"], hours=DAYTIME)}), CLOSED),
    ],
    ids=["no such queue", "the line is closed", "nobody is there for it"],
)
async def test_where_nobody_is_there_for_a_crisis_the_emergency_numbers_are_told(line: Line, at: datetime) -> None:
    caller = ScriptedCaller(["1"])
    assert await tell_refused(caller.window(line, at), "blocked") == Finished("refused")
    assert caller.said == ["refused.blocked", "refused.emergency", "goodbye"]


async def test_within_its_hours_it_is_reached() -> None:
    caller = ScriptedCaller(["1"])
    assert isinstance(await tell_refused(caller.window(replace(LINE, hours=DAYTIME), OPEN), "blocked"), JoinQueue)


def test_all_of_it_has_words() -> None:
    said = {"refused.blocked", "refused.redials", "refused.crisis", "refused.emergency"}
    words = Catalogue.load(CATALOGUE).sentences
    assert all(said <= words[language].keys() for language in ("zh-CN", "en", "yue"))
