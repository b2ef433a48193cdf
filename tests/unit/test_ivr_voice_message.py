"""留言 What is taken down, what is kept of it, and what the caller is told."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import pytest
from msgspec.structs import replace

from calls.facts import ServiceUsed, VoiceMessageLeft
from ivr.hours import end_of_working_day
from ivr.line import Message
from ivr.lines import load_lines
from ivr.served import WantsPerson
from ivr.services import VOICE_MESSAGE, use
from ivr.window import Matter, Talk
from prompts.catalogue import CATALOGUE, Catalogue
from tests.fakes.caller import HANG_UP, ScriptedCaller

LINE = load_lines(Path(__file__).parents[2] / "lines", Catalogue.load(CATALOGUE).sentences["zh-CN"])["12333"]


async def served(caller: ScriptedCaller) -> str:
    return await use(VOICE_MESSAGE, caller.window(LINE).for_("cards"))


def left(caller: ScriptedCaller) -> list[VoiceMessageLeft]:
    return [fact for fact in caller.facts if isinstance(fact, VoiceMessageLeft)]


async def test_a_message_is_taken_down_and_promised_an_answer() -> None:
    caller = ScriptedCaller(["#"], speaks_ms=[12_000])
    assert await served(caller) == "done"
    assert caller.said == ["message.ask", "message.tone", "message.check", "message.kept"]
    assert caller.values == {"days": 3}
    [message] = left(caller)
    assert message == VoiceMessageLeft(
        call_id="call-1",
        message="call-1.m1",
        line="12333",
        about="cards",
        calling_number="+8613800001111",
        begun_at=caller.dictations[0].begun_at,
        length_ms=12_000,
        spoken_ms=12_000,
        due_at=datetime(2026, 11, 26, 16, 0, tzinfo=UTC),
    )
    assert [fact.outcome for fact in caller.facts if isinstance(fact, ServiceUsed)] == ["done"]


async def test_the_line_says_within_how_many_days() -> None:
    caller = ScriptedCaller(["#"], speaks_ms=[12_000])
    await use(VOICE_MESSAGE, caller.window(replace(LINE, message=Message(within_days=1))))
    assert caller.values == {"days": 1}
    assert left(caller)[0].due_at == datetime(2026, 11, 24, 16, 0, tzinfo=UTC)


@pytest.mark.parametrize("when", ["while speaking", "at the question whether to do it again"])
async def test_whoever_hangs_up_after_speaking_has_left_a_message(when: str) -> None:
    caller = ScriptedCaller([HANG_UP] if when == "while speaking" else ["#", HANG_UP], speaks_ms=[5000])
    with pytest.raises(asyncio.CancelledError):
        await served(caller)
    assert [message.spoken_ms for message in left(caller)] == [5000]
    assert not caller.dictations[0].dropped
    assert [fact.outcome for fact in caller.facts if isinstance(fact, ServiceUsed)] == ["hung_up"]


async def test_whoever_hangs_up_without_a_word_has_left_none() -> None:
    caller = ScriptedCaller([HANG_UP], speaks_ms=[300])
    with pytest.raises(asyncio.CancelledError):
        await served(caller)
    assert (left(caller), caller.dictations[0].dropped) == ([], True)


async def test_a_message_can_be_said_anew_and_only_the_last_one_is_kept() -> None:
    caller = ScriptedCaller(["#", "2", "#"], speaks_ms=[5000, 7000])
    assert await served(caller) == "done"
    assert [message.message for message in left(caller)] == ["call-1.m2"]
    assert [dictation.dropped for dictation in caller.dictations] == [True, False]


@pytest.mark.parametrize("then", [[HANG_UP], [None, None]])
async def test_whoever_wants_to_say_it_anew_and_does_not_keeps_the_first_one(then: list[str | None]) -> None:
    caller = ScriptedCaller(["#", "2", *then], speaks_ms=[5000, 0, 0])
    try:
        await served(caller)
    except asyncio.CancelledError:
        assert then == [HANG_UP]
    assert [message.message for message in left(caller)] == ["call-1.m1"]
    assert [dictation.dropped for dictation in caller.dictations] == [False] + [True] * len(then)


async def test_who_says_nothing_twice_is_led_on() -> None:
    caller = ScriptedCaller(speaks_ms=[0, 0])
    assert await served(caller) == "gave_up"
    assert caller.said == ["message.ask", "message.tone", "message.nothing"] * 2
    assert (left(caller), [dictation.dropped for dictation in caller.dictations]) == ([], [True, True])


async def test_nothing_is_promised_that_is_not_on_the_disk() -> None:
    caller = ScriptedCaller(["#"], speaks_ms=[5000])
    caller.disk_full = True
    assert await served(caller) == "unavailable"
    assert caller.said[-1] == "message.unavailable"
    assert len(left(caller)) == 1, "what was said may be on the disk yet"


async def test_no_message_is_begun_that_could_not_be_recorded() -> None:
    caller = ScriptedCaller(speaks_ms=None)
    assert await served(caller) == "unavailable"
    assert (caller.said, left(caller)) == (["message.ask", "message.tone", "message.unavailable"], [])


# Complaints


async def complained(caller: ScriptedCaller, talk: Talk | None = None) -> str:
    return await use("complaint", replace(caller.window(LINE), about="complaint", talk=talk))


async def test_a_complaint_is_marked_as_one_and_has_a_promise_of_its_own() -> None:
    caller = ScriptedCaller(["#"], speaks_ms=[12_000])
    assert await complained(caller) == "done"
    assert caller.said == ["complaint.ask", "message.tone", "message.check", "complaint.kept"]
    assert caller.values == {"days": 2}
    [complaint] = left(caller)
    assert (complaint.purpose, complaint.visit, complaint.adviser) == ("complaint", None, None)
    assert complaint.due_at == datetime(2026, 11, 25, 16, 0, tzinfo=UTC)
    assert caller.matters == [Matter(about="complaint", within_days=2, purpose="complaint")]


async def test_after_a_conversation_it_is_about_that_adviser() -> None:
    caller = ScriptedCaller(["#"], speaks_ms=[12_000])
    await complained(caller, Talk("call-1.1", "8001"))
    [complaint] = left(caller)
    assert (complaint.visit, complaint.adviser) == ("call-1.1", "8001")
    assert (caller.matters[0].visit, caller.matters[0].adviser) == ("call-1.1", "8001"), "also when the controller dies"


@pytest.mark.parametrize(
    ("answers", "pressed", "speaks_ms", "kept", "outcome"),
    [
        ([], {"complaint.ask": "0"}, [], 0, "gave_up"),
        (["0"], {}, [300], 0, "gave_up"),
        (["0"], {}, [5000], 1, "done"),
        (["#", "0"], {}, [5000], 1, "done"),
        (["#", "2", "0"], {}, [5000, 0], 1, "done"),
    ],
    ids=["while asked", "having said nothing", "while speaking", "at the question", "while saying it anew"],
)
async def test_nought_leads_to_a_person_at_any_time_and_what_was_said_is_kept(
    answers: list[str | None], pressed: dict[str, str], speaks_ms: list[int], kept: int, outcome: str
) -> None:
    caller = ScriptedCaller(answers, pressed_during=pressed, speaks_ms=speaks_ms)
    with pytest.raises(WantsPerson):
        await complained(caller)
    assert not caller.waiting_keys, "a key that has said what it says must not cut off what comes next"
    assert len(left(caller)) == kept
    assert sum(not dictation.dropped for dictation in caller.dictations) == kept
    assert [fact.outcome for fact in caller.facts if isinstance(fact, ServiceUsed)] == [outcome]


async def test_in_a_message_nought_is_a_key_like_any_other() -> None:
    caller = ScriptedCaller(["0", "0"], speaks_ms=[5000])
    assert await served(caller) == "done"
    assert [message.purpose for message in left(caller)] == ["message"]


@pytest.mark.parametrize(
    ("at", "days", "ends"),
    [
        ("2026-11-23T10:00+08:00", 3, "2026-11-27T00:00+08:00"),
        ("2026-11-27T23:59+08:00", 3, "2026-12-03T00:00+08:00"),
        ("2026-11-28T09:00+08:00", 1, "2026-12-01T00:00+08:00"),
        ("2026-09-30T10:00+08:00", 1, "2026-10-09T00:00+08:00"),
        ("2026-02-13T10:00+08:00", 1, "2026-02-15T00:00+08:00"),
    ],
    ids=["a week", "over a weekend", "on a Saturday", "National Day", "a Saturday swapped into a working day"],
)
def test_working_days_are_those_of_the_state_council(at: str, days: int, ends: str) -> None:
    assert end_of_working_day(datetime.fromisoformat(at), days) == datetime.fromisoformat(ends)
