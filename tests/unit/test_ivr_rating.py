"""The satisfaction question: one key, one more try, thanks; and the answer is kept whenever the caller leaves."""

from __future__ import annotations

import asyncio

import pytest

from calls.facts import RatingKeyed
from ivr.rating import KEY_WAIT_S, ask_rating, wait_for_hang_up
from prompts.catalogue import CATALOGUE, Catalogue
from tests.fakes.caller import HANG_UP, ScriptedCaller


def kept(caller: ScriptedCaller) -> list[RatingKeyed]:
    return [fact for fact in caller.facts if isinstance(fact, RatingKeyed)]


@pytest.mark.parametrize(
    ("answers", "score", "said"),
    [
        (["5"], 5, ["rating.ask", "rating.thanks"]),
        (["1"], 1, ["rating.ask", "rating.thanks"]),
        (["7", "4"], 4, ["rating.ask", "rating.wrong", "rating.thanks"]),
        (["0", "*", "5"], None, ["rating.ask", "rating.wrong", "goodbye"]),
        (["6", None], None, ["rating.ask", "rating.wrong", "goodbye"]),
        ([], None, ["rating.ask", "goodbye"]),
    ],
)
async def test_one_key_and_one_more_try(answers: list[str | None], score: int | None, said: list[str]) -> None:
    caller = ScriptedCaller(answers)
    assert await ask_rating(caller, "visit-1", "8001") == score
    assert caller.said == said
    assert kept(caller) == [RatingKeyed(call_id="call-1", visit="visit-1", adviser="8001", score=score)]


async def test_a_key_cuts_the_question_off() -> None:
    assert await ask_rating(ScriptedCaller(pressed_during={"rating.ask": "5"}), "visit-1", "8001") == 5


async def test_keys_after_the_answer_do_not_cut_off_the_thanks() -> None:
    caller = ScriptedCaller(pressed_during={"rating.ask": "44"})
    assert await ask_rating(caller, "visit-1", "8001") == 4
    assert caller.said == ["rating.ask", "rating.thanks"]


async def test_keys_pressed_while_talking_are_no_rating() -> None:
    caller = ScriptedCaller()
    caller.waiting_keys.extend("31")
    assert await ask_rating(caller, "visit-1", "8001") is None


@pytest.mark.parametrize(
    ("caller", "score"),
    [
        (ScriptedCaller([HANG_UP]), None),
        (ScriptedCaller(hang_up_during="rating.ask"), None),
        (ScriptedCaller(["4"], hang_up_during="rating.thanks"), 4),
    ],
)
async def test_leaving_keeps_the_answer_once(caller: ScriptedCaller, score: int | None) -> None:
    with pytest.raises(asyncio.CancelledError):
        await ask_rating(caller, "visit-1", "8001")
    assert [fact.score for fact in kept(caller)] == [score]


async def test_the_caller_has_the_silence_to_hang_up_first() -> None:
    caller = ScriptedCaller(["5"])
    await ask_rating(caller, "visit-1", "8001")
    caller.waiting_keys.extend("55")
    await wait_for_hang_up(caller, 5.0)
    assert caller.waits_s == [KEY_WAIT_S, 5.0]
    assert caller.said[-1] == "rating.thanks"


def test_everything_that_flows_say_by_themselves_has_words() -> None:
    words = Catalogue.load(CATALOGUE)
    said = {"rating.ask", "rating.wrong", "rating.thanks", "goodbye", "key.wrong", "key.missing", "key.three_tries"}
    said |= {"closed.today", "closed.tomorrow", "closed.next", "closed.day"} | {f"month.{n}" for n in range(1, 13)}
    assert all(said <= sentences.keys() for sentences in words.sentences.values())
