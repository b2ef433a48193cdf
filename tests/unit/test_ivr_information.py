"""What a city tells by itself: chosen by key, told in its own words, counted."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from msgspec.structs import replace

from calls.facts import MenuStepTaken, ServiceUsed
from calls.words import Needs
from ivr.business import Office
from ivr.flow import run_line
from ivr.information import Area, Department, Region, Topic
from ivr.line import Choice, Line, Menu, Queue
from ivr.lines import load_lines
from ivr.next import JoinQueue
from prompts.catalogue import CATALOGUE, Catalogue
from tests.fakes.caller import HANG_UP, Answer, ScriptedCaller

WORDS = Catalogue.load(CATALOGUE).sentences["zh-CN"]
SHIPPED = load_lines(Path(__file__).parents[2] / "lines", WORDS)["12333"]
PERSON = JoinQueue(Needs(skills={}, queue="general"))

TOPICS = (
    Topic("pension", "养老金调整", "明年一月起调整。"),
    Topic("card", {"zh-CN": "社保卡换发", "en": "New cards"}, {"zh-CN": "旧卡照用。", "en": "Old cards work."}),
    Topic("over", "已经过去", "不再播。", date(2026, 11, 22)),
)


def line(service: str, **has: object) -> Line:
    """The shipped line, with this service behind its first key."""
    menu = Menu("menu.main", {"1": Choice(name="it", service=service)})
    return replace(SHIPPED, menu="main", menus={"main": menu}, **has)


async def served(
    line: Line,
    *keys: Answer,
    language: str = "zh-CN",
    at: datetime | None = None,
    offices: Mapping[str, Sequence[Office]] | None = None,
) -> ScriptedCaller:
    """A caller who chooses the service, and then keys this; ends with a person."""
    caller = ScriptedCaller(["1", *keys])
    caller.offices = offices or {}
    window = caller.window(replace(line, language=language), at)
    assert await run_line(window) == replace(PERSON, needs=line.needs("general", language))
    for sentence in caller.said:
        WORDS[sentence].render(caller.values)
    return caller


def uses(caller: ScriptedCaller) -> list[tuple[str, str, str]]:
    return [(fact.service, fact.about, fact.outcome) for fact in caller.facts if isinstance(fact, ServiceUsed)]


TITLES = ["choose.one", "choose.one", "answer.again"]


async def test_a_topic_is_chosen_by_key_and_told_and_counted() -> None:
    caller = await served(line("hot_topics", topics=TOPICS), "2", "#", "#", "0")
    assert caller.said[3:] == [*TITLES, "topic.text", "answer.again", *TITLES, "menu.main"]
    assert caller.own_words == ["养老金调整", "社保卡换发", "旧卡照用。", "养老金调整", "社保卡换发"]
    assert uses(caller) == [("topic", "card", "done"), ("hot_topics", "it", "done")]


async def test_a_topic_is_told_again_by_star_and_0_is_a_person() -> None:
    caller = await served(line("hot_topics", topics=TOPICS), "1", "*", "*", "0")
    assert caller.said.count("topic.text") == 3
    assert [key for key, slow in zip(caller.said, caller.slowly, strict=True) if slow][:2] == [
        "slow.begun",
        "topic.text",
    ]
    assert uses(caller) == [("topic", "pension", "done")] * 3 + [("hot_topics", "it", "done")]
    assert [fact.outcome for fact in caller.facts if isinstance(fact, MenuStepTaken)] == ["chosen"]


@pytest.mark.parametrize(
    ("day", "told"),
    [
        (datetime(2026, 11, 22, 15, 59, tzinfo=UTC), ["养老金调整", "社保卡换发", "已经过去"]),  # 23:59 in Shanghai
        (datetime(2026, 11, 22, 16, 0, tzinfo=UTC), ["养老金调整", "社保卡换发"]),
    ],
)
async def test_a_topic_is_told_to_the_end_of_its_last_day(day: datetime, told: list[str]) -> None:
    caller = await served(line("hot_topics", topics=TOPICS), "#", "0", at=day)
    assert caller.own_words == told


async def test_when_no_topic_is_left_that_is_said_and_the_menu_goes_on() -> None:
    caller = await served(line("hot_topics", topics=TOPICS[2:]), "0")
    assert caller.said[3:] == ["topic.none", "menu.main"]
    assert uses(caller) == [("hot_topics", "it", "done")]


async def test_whoever_speaks_another_language_hears_the_topic_in_it_where_it_was_written() -> None:
    caller = await served(line("hot_topics", topics=TOPICS[1:2]), "1", "0", language="en")
    assert caller.own_words[:2] == ["New cards", "Old cards work."]


async def test_a_hang_up_in_the_middle_is_counted_as_one() -> None:
    caller = ScriptedCaller(["1", "1"], hang_up_during="topic.text")
    with pytest.raises(asyncio.CancelledError):
        await run_line(caller.window(line("hot_topics", topics=TOPICS)))
    assert uses(caller) == [("topic", "pension", "hung_up"), ("hot_topics", "it", "hung_up")]


async def test_a_key_during_the_text_goes_on() -> None:
    caller = ScriptedCaller(["1", "1", "#", "0"], pressed_during={"topic.text": "#"})
    await run_line(caller.window(line("hot_topics", topics=TOPICS)))
    assert uses(caller)[0] == ("topic", "pension", "gave_up")
    assert caller.said[-1] == "menu.main"


async def test_wrong_keys_and_no_key_lead_back_to_the_menu() -> None:
    caller = await served(line("hot_topics", topics=TOPICS), "9", "3", "8", None, None, None)
    assert caller.said[3:] == [
        *[*TITLES, "key.wrong"] * 2,
        *TITLES,
        *["menu.main", "key.missing"] * 2,
        "menu.main",
        "key.three_tries",
    ]
    assert uses(caller) == [("hot_topics", "it", "gave_up")]


async def test_whoever_hangs_up_at_the_titles_is_in_the_figures() -> None:
    caller = ScriptedCaller(["1", HANG_UP])
    with pytest.raises(asyncio.CancelledError):
        await run_line(caller.window(line("hot_topics", topics=TOPICS)))
    assert uses(caller) == [("hot_topics", "it", "hung_up")]


AREAS = tuple(Area(f"第{number}区", f"9901{number:02}") for number in range(1, 11))
OFFICES = {
    "990101": [
        Office("1", "社保中心", "人民路1号", "周一至周五", "057100000101", "990101"),
        Office("2", "制卡点", "解放街26号", "周一至周五", "", "990101"),
        Office("3", "服务站", "朝阳街7号", "周一", "057100000103", "990101"),
    ],
    "990110": [],
}


async def test_the_offices_of_an_area_are_told_one_after_the_other() -> None:
    caller = await served(line("offices", areas=AREAS[:2]), "1", "1", "1", "*", "2", "#", "#", "0", offices=OFFICES)
    titles = ["choose.one", "choose.one", "answer.again"]
    first = ["office.at", "office.telephone", "office.next", "answer.again"]
    second = ["office.at", "office.next", "office.previous", "answer.again"]
    third = ["office.at", "office.telephone", "office.previous", "answer.again"]
    assert caller.said[3:] == [*titles, *first, *second, *third, *third, *second, *titles, "menu.main"]
    assert caller.own_words[2:8] == ["社保中心", "人民路1号", "周一至周五", "制卡点", "解放街26号", "周一至周五"]
    assert uses(caller) == [("offices", "it", "done")]


async def test_a_key_that_leads_to_no_other_office_goes_back_to_the_areas() -> None:
    caller = await served(line("offices", areas=AREAS[:1]), "1", "2", None, "0", offices=OFFICES)
    assert caller.said[3:] == [
        *("choose.one", "answer.again", "office.at", "office.telephone", "office.next", "answer.again"),
        *("choose.one", "answer.again", "menu.main"),
    ]


async def test_more_areas_than_a_page_are_offered_page_by_page() -> None:
    caller = await served(line("offices", areas=AREAS), "9", "2", "0", offices=OFFICES)
    first = [*["choose.one"] * 8, "choose.more", "answer.again"]
    second = [*["choose.one"] * 2, "choose.more", "answer.again"]
    assert caller.said[3:] == [*first, *second, "office.none", *first]
    assert caller.own_words[8:10] == ["第9区", "第10区"]


async def test_offices_that_are_not_known_lead_honestly_to_a_person() -> None:
    caller = await served(line("offices", areas=AREAS), "2", offices=OFFICES)
    assert caller.said[-1] == "office.unavailable"
    assert uses(caller) == [("offices", "it", "unavailable")]


async def test_0_at_an_office_is_a_person() -> None:
    caller = await served(line("offices", areas=AREAS), "1", "0", offices=OFFICES)
    assert caller.said[-1] == "answer.again"
    assert uses(caller) == [("offices", "it", "done")]


DEPARTMENTS = (Department("tax", "税务", "12366"), Department("law", "法律援助", "12348"))


async def test_the_number_of_another_department_is_said_twice_and_counted() -> None:
    caller = await served(line("departments", departments=DEPARTMENTS), "2", "*", "#", "#", "0")
    titles = ["choose.one", "choose.one", "answer.again"]
    told = ["department.number", "answer.again"]
    assert caller.said[3:] == [*titles, *told, *told, *titles, "menu.main"]
    assert caller.values["number"] == "12348"
    digits = [key for key in WORDS["department.number"].render(caller.values) if key.startswith("digit.")]
    assert digits == [f"digit.{digit}" for digit in "1234812348"]
    assert uses(caller) == [("department", "law", "done")] * 2 + [("departments", "it", "done")]


REGIONS = (Region("county", "北乡县", queue="county"), Region("province", "省本级", number="057112333"))


async def test_another_region_is_a_queue_of_its_own_site() -> None:
    there = line("regions", regions=REGIONS, queues={**SHIPPED.queues, "county": Queue({}, 9, site="county")})
    caller = ScriptedCaller(["1", "1"])
    assert await run_line(caller.window(there)) == JoinQueue(Needs(skills={}, queue="county", site="county"))
    assert caller.said[-1] == "region.queue"
    assert caller.own_words[-1] == "北乡县"
    assert uses(caller) == [("region", "county", "done"), ("regions", "it", "done")]


async def test_a_region_with_a_number_of_its_own_is_told_it() -> None:
    caller = await served(line("regions", regions=REGIONS), "2", "#", "0")
    assert caller.said[-3:] == ["department.number", "answer.again", "menu.main"]
    assert (caller.own_words[-1], caller.values["number"]) == ("省本级", "057112333")
    assert uses(caller) == [("region", "province", "done"), ("regions", "it", "done")]


async def test_nothing_is_assumed_of_a_region_and_0_is_this_lines_person() -> None:
    caller = await served(line("regions", regions=REGIONS), "0")
    assert uses(caller) == [("regions", "it", "gave_up")]


async def test_a_menu_may_ask_in_the_citys_own_words() -> None:
    menu = Menu(
        words={"zh-CN": "补贴，请按一。", "en": "For allowances, press one."},
        choices={"1": Choice("it", queue="cards")},
    )
    own = replace(SHIPPED, menus={"main": menu})
    for language, words in (("zh-CN", "补贴，请按一。"), ("en", "For allowances, press one.")):
        caller = ScriptedCaller(["*", "1"])
        await run_line(caller.window(replace(own, language=language)))
        assert caller.said[2:] == ["menu.own"] * 2
        assert caller.own_words == [words] * 2
