"""A line as callers hear it: every rule of welcome, notice and menus, and whatever is keyed the call leads on."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from calls.facts import MenuStepTaken, NoticeHeard, ServiceUsed, SlowSpeechBegun, VoiceMessageLeft
from calls.words import Needs
from ivr.flow import MOST_AGAIN, MOST_VISITS, run_line
from ivr.hours import Hours
from ivr.line import Line, Offered
from ivr.lines import load_lines
from ivr.next import Finished, JoinQueue, Reached
from prompts.catalogue import CATALOGUE, Catalogue
from tests.fakes.caller import HANG_UP, PROMPT_MS, THINKING_MS, ScriptedCaller

WORDS = Catalogue.load(CATALOGUE).sentences["zh-CN"]
LINE = load_lines(Path(__file__).parents[2] / "lines", WORDS)["12333"]
NOON = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
PERSON = JoinQueue(Needs(skills={}, queue="general"))
CARDS = JoinQueue(Needs(skills={"cards": 1}, queue="cards"))


def steps(caller: ScriptedCaller) -> list[tuple[str, int, str, str | None]]:
    """What was done in the menus: menu, attempt, outcome, choice."""
    taken = [fact for fact in caller.facts if isinstance(fact, MenuStepTaken)]
    return [(fact.menu, fact.attempt, fact.outcome, fact.choice) for fact in taken]


def notices(caller: ScriptedCaller) -> list[NoticeHeard]:
    return [fact for fact in caller.facts if isinstance(fact, NoticeHeard)]


async def test_welcome_then_notice_then_menu_then_the_queue_of_the_choice() -> None:
    caller = ScriptedCaller(["1"])
    assert await run_line(caller.window(LINE, NOON)) == CARDS
    assert caller.said == ["welcome", "notice", "menu.main"]
    assert notices(caller) == [
        NoticeHeard(
            call_id="call-1",
            notice="notice",
            notice_version="1",
            language="zh-CN",
            heard_ms=PROMPT_MS,
            whole=True,
        )
    ]
    assert steps(caller) == [("main", 1, "chosen", "cards")]


@pytest.mark.parametrize(("key", "queue"), [("1", "cards"), ("2", "pension"), ("3", "insurance"), ("4", "labour")])
async def test_each_choice_leads_to_its_skill(key: str, queue: str) -> None:
    assert await run_line(ScriptedCaller([key]).window(LINE, NOON)) == JoinQueue(LINE.needs(queue))


async def test_a_line_speaks_its_language() -> None:
    caller = ScriptedCaller(["1"])
    await run_line(caller.window(replace(LINE, language="en"), NOON))
    assert set(caller.languages) == {"en"}
    assert notices(caller)[0].language == "en"


async def test_the_notice_cannot_be_skipped_and_keys_pressed_during_it_answer_nothing() -> None:
    caller = ScriptedCaller(["1"], pressed_during={"welcome": "2", "notice": "34"})
    assert await run_line(caller.window(LINE, NOON)) == CARDS
    assert notices(caller)[0].whole
    assert notices(caller)[0].heard_ms == PROMPT_MS
    assert steps(caller) == [("main", 1, "chosen", "cards")]


async def test_leaving_during_the_notice_keeps_how_much_was_heard() -> None:
    caller = ScriptedCaller(hang_up_during="notice")
    with pytest.raises(asyncio.CancelledError):
        await run_line(caller.window(LINE, NOON))
    assert [(fact.heard_ms, fact.whole) for fact in notices(caller)] == [(PROMPT_MS // 2, False)]
    assert len(caller.facts) == 1


async def test_a_key_cuts_the_menu_off_and_is_its_answer() -> None:
    caller = ScriptedCaller(pressed_during={"menu.main": "1"})
    assert await run_line(caller.window(LINE, NOON)) == CARDS
    assert caller.facts[-1] == MenuStepTaken(
        call_id="call-1", menu="main", attempt=1, outcome="chosen", choice="cards", waited_ms=PROMPT_MS // 2
    )


@pytest.mark.parametrize("stars", [0, 2], ids=["at the usual pace", "slowly"])
@pytest.mark.parametrize("name", LINE.menus)
async def test_a_key_cuts_every_menu_off_whatever_is_said_before_it(name: str, stars: int) -> None:
    prompt, keys = LINE.menus[name].prompt or "", ["*"] * stars
    excuse = "slow.begun" if stars else prompt
    caller = ScriptedCaller(keys, pressed_during={} if stars else {prompt: "0"})
    if stars:
        caller.pressed_during["slow.begun"] = "0"
    await run_line(caller.window(replace(LINE, menu=name), NOON))
    assert caller.said[-1] == excuse
    taken = [fact for fact in caller.facts if isinstance(fact, MenuStepTaken)]
    assert (taken[-1].outcome, taken[-1].waited_ms) == ("person", PROMPT_MS // 2)


async def test_whoever_knows_the_way_keys_ahead_through_the_menus() -> None:
    caller = ScriptedCaller(pressed_during={"menu.main": "530"})
    assert await run_line(caller.window(LINE, NOON)) == PERSON
    assert caller.said == ["welcome", "notice", "menu.main"]
    assert steps(caller) == [("main", 1, "chosen", "other"), ("other", 1, "chosen", "complaint")]


async def test_the_wait_for_a_key_is_the_lines() -> None:
    caller = ScriptedCaller([None, "1"])
    await run_line(caller.window(replace(LINE, key_wait_s=4.0), NOON))
    assert caller.waits_s == [4.0, 4.0]
    assert [fact.waited_ms for fact in caller.facts if isinstance(fact, MenuStepTaken)] == [
        PROMPT_MS + 4000,
        2 * PROMPT_MS + THINKING_MS,
    ]


async def test_wrong_and_missing_keys_are_said_and_counted_then_a_person_takes_over() -> None:
    caller = ScriptedCaller(["9", None, "8", "1"])
    assert await run_line(caller.window(LINE, NOON)) == PERSON
    assert steps(caller) == [
        ("main", 1, "wrong", None),
        ("main", 2, "missing", None),
        ("main", 3, "wrong", None),
        ("main", 3, "gave_up", None),
    ]
    assert caller.said[2:] == [
        "menu.main",
        "key.wrong",
        "menu.main",
        "key.missing",
        "menu.main",
        "key.three_tries",
    ]


@pytest.mark.parametrize("tries", [1, 2, 5])
async def test_the_number_of_tries_is_the_lines(tries: int) -> None:
    caller = ScriptedCaller()
    assert await run_line(caller.window(replace(LINE, tries=tries), NOON)) == PERSON
    assert [step[2] for step in steps(caller)] == ["missing"] * tries + ["gave_up"]


async def test_keys_after_a_wrong_one_are_dropped_so_that_it_is_heard() -> None:
    caller = ScriptedCaller(["1"], pressed_during={"menu.main": "92"})
    assert await run_line(caller.window(LINE, NOON)) == CARDS
    assert "key.wrong" in caller.said


@pytest.mark.parametrize("way", [["0"], ["5", "0"], ["5", "1", "0"], ["9", "0"], ["*", "0"], ["5", "#", "0"]])
async def test_0_is_a_person_everywhere(way: list[str]) -> None:
    caller = ScriptedCaller(way)
    assert await run_line(caller.window(LINE, NOON)) == PERSON
    assert steps(caller)[-1][2:] == ("person", None)


async def test_star_repeats_and_is_no_try() -> None:
    caller = ScriptedCaller(["9", "*", "8", "*", "1"])
    assert await run_line(caller.window(LINE, NOON)) == CARDS
    assert caller.said[2:] == [
        "menu.main",
        "key.wrong",
        "menu.main",
        "menu.main",
        "key.wrong",
        "menu.main",
        "menu.main",
    ]
    assert [(attempt, outcome) for _, attempt, outcome, _ in steps(caller)] == [
        (1, "wrong"),
        (2, "again"),
        (3, "wrong"),
        (4, "again"),
        (5, "chosen"),
    ]


async def test_a_second_star_in_a_row_is_answered_slowly_and_so_is_the_rest_of_the_call() -> None:
    caller = ScriptedCaller(["*", "*", "*", "5", None, "0"])
    await run_line(caller.window(replace(LINE, key_wait_s=4.0, slow_waits=2.0), NOON))
    said = list(zip(caller.said, caller.slowly, strict=True))[2:]
    assert said[:2] == [("menu.main", False)] * 2
    assert said[2:] == [
        ("slow.begun", True),
        ("menu.main", True),
        ("menu.main", True),
        ("menu.other", True),
        ("key.missing", True),
        ("menu.other", True),
    ]
    assert caller.waits_s == [4.0, 4.0, 8.0, 8.0, 8.0, 8.0]
    assert [fact for fact in caller.facts if isinstance(fact, SlowSpeechBegun)] == [
        SlowSpeechBegun(call_id="call-1", asked_in="main")
    ]


@pytest.mark.parametrize("keys", ["*9*1", "*5*#1", "5*#*1"], ids=["another key between", "two menus", "and back"])
async def test_stars_that_are_not_in_a_row_in_one_place_change_nothing(keys: str) -> None:
    caller = ScriptedCaller(keys)
    assert await run_line(caller.window(LINE, NOON)) == CARDS
    assert not any(caller.slowly)


async def test_nobody_repeats_forever() -> None:
    caller = ScriptedCaller(["*"] * 100)
    assert await run_line(caller.window(LINE, NOON)) == PERSON
    assert [outcome for _, _, outcome, _ in steps(caller)] == ["again"] * (MOST_AGAIN + 1) + ["gave_up"]


async def test_hash_goes_one_menu_back_and_repeats_the_first() -> None:
    caller = ScriptedCaller(["#", "5", "#", "1"])
    assert await run_line(caller.window(LINE, NOON)) == CARDS
    assert steps(caller) == [
        ("main", 1, "back", None),
        ("main", 1, "chosen", "other"),
        ("other", 1, "back", None),
        ("main", 1, "chosen", "cards"),
    ]


async def test_a_new_visit_has_all_its_tries_again() -> None:
    caller = ScriptedCaller(["9", "9", "5", "9", "9", "#", "9", "9", "1"])
    assert await run_line(caller.window(LINE, NOON)) == CARDS


async def test_nobody_goes_round_the_menus_forever() -> None:
    caller = ScriptedCaller(["5", "#"] * 100)
    assert await run_line(caller.window(LINE, NOON)) == PERSON
    assert len(steps(caller)) == MOST_VISITS + 1
    assert steps(caller)[-1][2] == "gave_up"
    assert caller.said[-1] == "key.three_tries"


async def test_an_announcement_leads_back_to_its_menu() -> None:
    caller = ScriptedCaller(["5", "2", "0"])
    assert await run_line(caller.window(LINE, NOON)) == PERSON
    assert caller.said[2:] == ["menu.main", "menu.other", "info.documents", "menu.other"]
    assert steps(caller)[-1] == ("other", 1, "person", None)


OFFICE = replace(LINE, hours=Hours(weekly={"mon": ("08:30-12:00", "13:30-17:00"), "wed": ("09:00-12:00",)}))
"""At noon UTC+8 on this Monday it is closed."""


@pytest.mark.parametrize(
    ("line", "moment", "said"),
    [
        (OFFICE, "2026-11-23T12:30+08:00", ["queue.closed", "closed.today", "goodbye"]),
        (OFFICE, "2026-11-24T12:30+08:00", ["queue.closed", "closed.tomorrow", "goodbye"]),
        (OFFICE, "2026-11-25T12:30+08:00", ["queue.closed", "closed.next", "month.11", "closed.day", "goodbye"]),
        (replace(LINE, hours=Hours(weekly={})), "2026-11-23T12:30+08:00", ["queue.closed", "goodbye"]),
    ],
)
async def test_outside_the_hours_callers_hear_when_somebody_is_back(line: Line, moment: str, said: list[str]) -> None:
    caller = ScriptedCaller(pressed_during={"queue.closed": "1"})
    assert await run_line(caller.window(line, datetime.fromisoformat(moment).astimezone(UTC))) == Finished("closed")
    assert caller.said == ["welcome", "notice", *said]
    for key in said:
        WORDS[key].render(caller.values)


NIGHT = replace(OFFICE, night="other")


async def test_outside_the_hours_the_machine_serves_and_whoever_wants_a_person_may_leave_a_message() -> None:
    caller = ScriptedCaller(["2", "0", "#"], speaks_ms=[4000])
    assert await run_line(caller.window(NIGHT, NOON)) == Finished("closed")
    assert caller.said[2:] == [
        *("queue.closed", "closed.today", "menu.other", "info.documents", "menu.other"),
        *("message.night", "message.ask", "message.tone", "message.check", "message.kept", "goodbye"),
    ]
    [left] = [fact for fact in caller.facts if isinstance(fact, VoiceMessageLeft)]
    assert (left.about, left.message, left.spoken_ms) == ("general", "call-1.m1", 4000)


async def test_outside_the_hours_no_key_leads_to_a_queue() -> None:
    caller = ScriptedCaller(["1", "#"], speaks_ms=[4000])
    assert await run_line(caller.window(replace(NIGHT, night="main"), NOON)) == Finished("closed")
    assert [fact.about for fact in caller.facts if isinstance(fact, VoiceMessageLeft)] == ["cards"]


async def test_a_queue_may_keep_hours_of_its_own() -> None:
    morning = replace(LINE.queues["cards"], hours=Hours(weekly={"mon": ("08:30-12:00",)}))
    line = replace(LINE, queues={**LINE.queues, "cards": morning})
    caller = ScriptedCaller(["1", "#"], speaks_ms=[4000])
    assert await run_line(caller.window(line, NOON)) == Finished("closed")
    assert caller.said[2:6] == ["menu.main", "queue.closed", "closed.next", "month.11"]
    assert [fact.about for fact in caller.facts if isinstance(fact, VoiceMessageLeft)] == ["cards"]
    assert await run_line(ScriptedCaller(["2"]).window(line, NOON)) == JoinQueue(LINE.needs("pension"))


TONGUES = replace(LINE, languages={"2": Offered("en"), "3": Offered("yue", advisers=False)})


async def test_another_language_repeats_the_notice_and_is_asked_of_the_adviser() -> None:
    caller = ScriptedCaller(["2", "1"])
    assert await run_line(caller.window(TONGUES, NOON)) == JoinQueue(replace(CARDS.needs, language="en"))
    said = list(zip(caller.said, caller.languages, strict=True))
    assert said == [
        *(("welcome", "zh-CN"), ("notice", "zh-CN"), ("language.offer", "en"), ("language.offer", "yue")),
        *(("notice", "en"), ("menu.main", "en")),
    ]
    assert [(fact.language, fact.whole) for fact in notices(caller)] == [("zh-CN", True), ("en", True)]


async def test_a_language_may_be_for_the_words_of_the_machine_alone() -> None:
    caller = ScriptedCaller(["3", "1"])
    assert await run_line(caller.window(TONGUES, NOON)) == CARDS
    assert caller.languages[-1] == "yue"


@pytest.mark.parametrize("key", [None, "7"])
async def test_who_chooses_no_language_goes_on_in_mandarin(key: str | None) -> None:
    caller = ScriptedCaller([key, "1"])
    assert await run_line(caller.window(TONGUES, NOON)) == CARDS
    assert (caller.languages[-1], len(notices(caller))) == ("zh-CN", 1)


async def test_a_language_is_chosen_as_soon_as_its_key_is_pressed() -> None:
    caller = ScriptedCaller(["1"], pressed_during={"language.offer": "2"})
    assert await run_line(caller.window(TONGUES, NOON)) == JoinQueue(replace(CARDS.needs, language="en"))
    assert caller.said.count("language.offer") == 1


async def test_a_line_without_menus_leads_straight_to_a_person() -> None:
    caller = ScriptedCaller()
    assert await run_line(caller.window(replace(LINE, menu=None, menus={}), NOON)) == PERSON
    assert (caller.said, steps(caller)) == (["welcome", "notice"], [])


async def test_what_the_machine_did_is_a_fact() -> None:
    keys = ["5", "2", "2", "4", "#", None, "0"]
    caller = ScriptedCaller(keys, speaks_ms=[4000], pressed_during={"info.documents": "*"})
    assert await run_line(caller.window(LINE, NOON)) == PERSON
    used = [(fact.service, fact.about, fact.outcome) for fact in caller.facts if isinstance(fact, ServiceUsed)]
    assert used == [
        ("say", "documents", "gave_up"),
        ("say", "documents", "done"),
        ("voice_message", "message", "done"),
    ]


async def test_within_the_hours_the_menu_comes() -> None:
    assert await run_line(ScriptedCaller(["1"]).window(OFFICE, datetime(2026, 11, 23, 1, 0, tzinfo=UTC))) == CARDS


KEYS = st.lists(st.sampled_from([*"0123456789*#", None]), max_size=80)


def check_the_steps(line: Line, caller: ScriptedCaller) -> None:
    """Attempts count from 1 in each visit, every visit but the last leads to another menu, and nothing follows the end."""
    before: MenuStepTaken | None = None
    for fact in caller.facts[1:]:
        if isinstance(fact, ServiceUsed | VoiceMessageLeft | SlowSpeechBegun):
            continue
        assert isinstance(fact, MenuStepTaken)
        if before is None or before.outcome in ("chosen", "back"):
            assert fact.attempt == 1
        else:
            assert before.outcome in ("wrong", "missing", "again")
            assert fact.menu == before.menu
            assert fact.attempt == before.attempt + (fact.outcome != "gave_up")
        assert (fact.choice is not None) is (fact.outcome == "chosen")
        before = fact
    visits = sum(fact.attempt == 1 for fact in caller.facts if isinstance(fact, MenuStepTaken))
    assert visits <= MOST_VISITS + 1
    assert len(caller.waits_s) <= MOST_VISITS * (line.tries + MOST_AGAIN + 1)


@given(KEYS, st.integers(1, 9), st.dictionaries(st.sampled_from(["welcome", "notice", "menu.main", "key.wrong"]), KEYS))
def test_whatever_is_keyed_the_call_leads_on(
    keys: list[str | None], tries: int, ahead: dict[str, list[str | None]]
) -> None:
    line = replace(LINE, tries=tries)
    pressed = {prompt: "".join(key or "" for key in some) for prompt, some in ahead.items()}
    caller = ScriptedCaller(keys, pressed_during=pressed)
    following = asyncio.run(run_line(caller.window(line, NOON)))
    assert isinstance(following, JoinQueue)
    check_the_steps(line, caller)
    last = caller.facts[-1]
    if isinstance(last, ServiceUsed):
        assert last.outcome in ("unavailable", "gave_up"), (
            "it could not be done, or the caller asked for a person there"
        )
        assert following == PERSON
        return
    assert isinstance(last, MenuStepTaken)
    if last.outcome == "chosen":
        assert last.choice == following.needs.queue
    else:
        assert last.outcome in ("person", "gave_up")
        assert following == PERSON


@given(KEYS)
def test_a_hang_up_at_any_menu_leaves_true_facts(keys: list[str | None]) -> None:
    caller = ScriptedCaller([*keys, HANG_UP])
    try:
        asyncio.run(run_line(caller.window(LINE, NOON)))
    except asyncio.CancelledError:
        assert len(caller.waits_s) == len(keys) + 1
    assert len(notices(caller)) == 1
    check_the_steps(LINE, caller)


async def test_what_was_reached_is_told_at_each_turn() -> None:
    caller = ScriptedCaller(["5", "4", "1", None, "#", "0"], speaks_ms=[2000])
    await run_line(caller.window(LINE, NOON))
    assert caller.reached == [
        Reached(("main", "other")),
        Reached(("main", "other"), "message"),
        Reached(("main", "other")),
        Reached(("main",)),
    ]


async def test_whoever_a_controller_left_in_a_menu_hears_an_apology_and_that_menu() -> None:
    caller = ScriptedCaller(["#", "1"])
    assert await run_line(caller.window(LINE, NOON), Reached(("main", "other"))) == CARDS
    assert caller.said == ["interrupted", "menu.other", "menu.main"]
    assert notices(caller) == []


async def test_whoever_a_controller_left_in_a_service_is_served_anew() -> None:
    caller = ScriptedCaller(["0"], speaks_ms=None)
    assert await run_line(caller.window(LINE, NOON), Reached(("main", "other"), "message")) == PERSON
    assert caller.said == ["interrupted", "message.ask", "message.tone", "message.unavailable"]


@pytest.mark.parametrize("reached", [Reached(), Reached(("main", "gone")), Reached(("main",), "gone")])
async def test_what_is_no_longer_in_the_line_is_begun_anew(reached: Reached) -> None:
    caller = ScriptedCaller(["1"])
    assert await run_line(caller.window(LINE, NOON), reached) == CARDS
    assert caller.said == ["interrupted", "menu.main"]


async def test_whoever_is_found_after_closing_time_is_told_so() -> None:
    caller = ScriptedCaller()
    closed = replace(LINE, hours=Hours(weekly={}))
    assert await run_line(caller.window(closed, NOON), Reached(("main", "other"))) == Finished("closed")
    assert caller.said == ["interrupted", "queue.closed", "goodbye"]
