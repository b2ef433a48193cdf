"""The story of a call in plain words: every reason has its words in both languages, and the story names what decided."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, get_args
from zoneinfo import ZoneInfo

import msgspec
import pytest

from calls.facts import (
    AnyFact,
    CallEnded,
    Chosen,
    ConversationEnded,
    NoticeHeard,
    PassedOver,
    PassedOverWhy,
    QueueEntered,
    QueueLeft,
    SeatAnswered,
    SeatDidNotAnswer,
    SeatOffered,
)
from calls.words import SCREEN_LANGUAGES, ScreenLanguage
from cti.why import PASSED, WORDS, tell
from tests.histories import arrived

AT = datetime(2026, 11, 28, 5, 30, 12, tzinfo=UTC)
VISIT: dict[str, Any] = {"call_id": "call1", "visit": "call1.1"}
SEAT: dict[str, Any] = {"seat": "1003", "adviser": "8003"}
OFFERED = SeatOffered(
    **VISIT,
    **SEAT,
    generation=1,
    why="in a few words",
    chosen=Chosen(waited_ms=28_100, rested_ms=2000, surplus=7, preferred=False),
    seats_passed=(PassedOver("talking", "", 12), PassedOver("skill", "pension 2", 4, ("1004", "1005", "1006"))),
    callers_passed=(PassedOver("language", "en", 1),),
)
STORY: list[AnyFact] = [
    arrived("call1"),
    NoticeHeard(call_id="call1", notice="notice", notice_version="1", language="zh-CN", heard_ms=9000, whole=True),
    QueueEntered(
        **VISIT, queue="pension", skills={"pension": 2}, since_ms=0, returned=False, urgency="urgent", site="county"
    ),
    OFFERED,
    SeatDidNotAnswer(**VISIT, **SEAT, reason="no_answer", rang_ms=15_000),
    QueueEntered(**VISIT, queue="pension", skills={}, since_ms=0, returned=True),
    SeatAnswered(**VISIT, **SEAT, waited_ms=32_000, rang_ms=4000),
    QueueLeft(**VISIT, outcome="answered", waited_ms=32_000),
    ConversationEnded(**VISIT, **SEAT, talked_ms=180_000, held_ms=20_000, ended_by="caller"),
    CallEnded(call_id="call1", outcome="queued", ended_by="caller", lasted_ms=240_000, step="talking"),
]


def story(facts: list[AnyFact], language: ScreenLanguage) -> list[str]:
    return tell([(AT, fact) for fact in facts], language, ZoneInfo("Asia/Shanghai"))


def test_the_story_in_chinese() -> None:
    lines = story(STORY, "zh-CN")

    assert lines[1] == "2026-11-28 13:30:12  进入队列 pension，需要 pension 2, county，urgent"
    assert lines[2].endswith("坐席 1003（8003）振铃：等了 28.1 秒，轮到；用不上的技能最少（7 级），空闲了 2.0 秒")
    assert lines[3].strip() == ("没有选的坐席：12 x 正在通话; 4 x 没有 pension 2 级的技能 (1004, 1005, 1006, …)")
    assert lines[4].strip() == "先来、但这个坐席接不了的：1 x 不会 en"
    assert "没有接" in lines[5]
    assert "回到队列 pension" in lines[6]
    assert "接起，共等 32.0 秒" in lines[7]
    assert lines[8].endswith("通话结束，180.0 秒（其中保持 20.0 秒），caller 先挂")
    assert len(lines) == 10  # the notice is not of the queue, and who was answered left it so


def test_a_caller_whom_a_lead_gave_to_a_seat() -> None:
    pulled = msgspec.structs.replace(
        OFFERED, why="pulled: skill pension 2", seats_passed=(), callers_passed=(PassedOver("pulled", "", 3),)
    )
    within = msgspec.structs.replace(OFFERED, why="pulled", seats_passed=(), callers_passed=())

    chinese, english = story([pulled, within], "zh-CN"), story([pulled, within], "en")
    assert chinese[0].endswith(
        "坐席 1003（8003）振铃：班长指定接这位来电者，等了 28.1 秒；按规则不该给，因为它没有 pension 2 级的技能"
    )
    assert chinese[1].strip() == "被越过的同队列来电者：3 x 先来"
    assert chinese[2].endswith("班长指定接这位来电者，等了 28.1 秒")
    assert english[0].endswith(
        "a team lead gave it this caller, who had waited 28.1 s; not by the rule: without pension 2"
    )
    assert english[1].strip() == "callers of the queue passed over: 3 x came before"
    assert len(english) == 3


def test_the_story_in_english() -> None:
    lines = story(STORY, "en")

    assert lines[2].endswith(
        "seat 1003 (8003) rang: waited 28.1 s, first in turn; fewest surplus skills (7 levels), rested 2.0 s"
    )
    assert lines[3].strip().startswith("seats passed over: 12 x talking; 4 x without pension 2 (1004")


def test_a_fact_of_version_1_is_told_in_its_own_words() -> None:
    old = SeatOffered(**VISIT, **SEAT, generation=1, why="longest rest")

    assert story([old], "en") == ["2026-11-28 13:30:12  1003 (8003): longest rest"]


@pytest.mark.parametrize("language", SCREEN_LANGUAGES)
def test_every_reason_has_its_words(language: ScreenLanguage) -> None:
    assert PASSED[language].keys() == set(get_args(PassedOverWhy))
    assert WORDS[language].keys() == WORDS["en"].keys()
