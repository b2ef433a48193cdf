"""What callers key, or do not key, in the menus; none of them needs an adviser."""

from __future__ import annotations

import asyncio

import pytest

from calls.facts import MenuStepTaken, NoticeHeard, QueueEntered
from tests.asterisk.ears import LONG_S
from tests.asterisk.hotline import Caller, Hotline

pytestmark = pytest.mark.asterisk

Story = tuple[list[tuple[str, str]], str, list[str]]
"""Answers as (menu, outcome), the queue in the end, and what was said until then, after welcome and notice."""

MENU, OTHER = "menu.main", "menu.other"

STORIES: dict[str, tuple[str, Story]] = {
    "chosen": ("4", ([("main", "chosen")], "labour", [MENU])),
    "wrong": ("93", ([("main", "wrong"), ("main", "chosen")], "insurance", [MENU, "key.wrong", MENU])),
    "missing": ("-1", ([("main", "missing"), ("main", "chosen")], "cards", [MENU, "key.missing", MENU])),
    "again": ("*2", ([("main", "again"), ("main", "chosen")], "pension", [MENU, MENU])),
    "back": (
        "5#1",
        ([("main", "chosen"), ("other", "back"), ("main", "chosen")], "cards", [MENU, OTHER, MENU]),
    ),
    "announcement": (
        "513",
        (
            [("main", "chosen"), ("other", "chosen"), ("other", "chosen")],
            "general",
            [MENU, OTHER, "info.hours", OTHER],
        ),
    ),
    "person": ("0", ([("main", "person")], "general", [MENU])),
    "three tries": (
        "9-8",
        (
            [("main", "wrong"), ("main", "missing"), ("main", "wrong"), ("main", "gave_up")],
            "general",
            [MENU, "key.wrong", MENU, "key.missing", MENU, "key.three_tries"],
        ),
    ),
}
"""Keys, one a menu (`-` none), and what comes of them."""


async def story(hotline: Hotline, keys: str) -> Story:
    async with hotline.caller(keys, barge=False) as caller:
        entered = await caller.saw(QueueEntered)
        await caller.hears("queue.no_seat")
        await caller.leave()
        said = caller.said
    assert said[:2] == ["welcome", "notice"]
    return steps(caller), entered.queue, said[2 : said.index("queue.no_seat")]


def steps(caller: Caller) -> list[tuple[str, str]]:
    return [(fact.menu, fact.outcome) for fact in caller.facts if isinstance(fact, MenuStepTaken)]


async def test_every_key_leads_where_the_line_says(hotline: Hotline) -> None:
    async with asyncio.TaskGroup() as group:
        calls = {name: group.create_task(story(hotline, keys)) for name, (keys, _) in STORIES.items()}
    assert {name: call.result() for name, call in calls.items()} == {name: tale for name, (_, tale) in STORIES.items()}


async def test_the_notice_cannot_be_skipped(hotline: Hotline) -> None:
    """Keys pressed in it are forgotten: the menu is said whole and answered by the next key."""
    async with hotline.caller("1", barge=False) as caller:
        await caller.hears("welcome", "notice")
        await caller.phone.key("4#0")
        assert (await caller.saw(NoticeHeard)).whole
        assert (await caller.saw(QueueEntered)).queue == "cards"
        await caller.leave()
        assert caller.said[:3] == ["welcome", "notice", MENU]
    assert steps(caller) == [("main", "chosen")]


async def test_a_key_cuts_a_menu_off(hotline: Hotline) -> None:
    async with hotline.caller("53", barge=True) as caller:
        answer = await caller.saw(MenuStepTaken, times=2)
        assert (answer.menu, answer.choice) == ("other", "complaint")
        assert answer.waited_ms < LONG_S[OTHER] * 1000
        await caller.leave()
