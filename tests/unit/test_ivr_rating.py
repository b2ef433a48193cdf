"""The satisfaction question: one key, one more try, thanks; and the answer is kept whenever the caller leaves."""

from __future__ import annotations

import asyncio

import pytest
from msgspec.structs import replace

from calls.facts import AnyFact, MachineRated, RatingFollowedUp, RatingKeyed, VoiceMessageLeft
from ivr.flow import run_line
from ivr.line import Choice, Line, Menu, Notice, Queue, Rating, Second
from ivr.next import Finished, JoinQueue
from ivr.rating import KEY_WAIT_S, ask_rating, wait_for_hang_up
from ivr.served import WantsPerson
from ivr.window import Talk
from prompts.catalogue import CATALOGUE, Catalogue
from tests.fakes.business import FakeBusiness
from tests.fakes.caller import HANG_UP, ScriptedCaller

LINE = Line(
    number="12333",
    version="1",
    name="test",
    welcome="welcome",
    notice=Notice("notice", "1"),
    menu="main",
    menus={
        "main": Menu("menu.main", {"1": Choice("cards", queue="cards"), "6": Choice("self", menu="self")}),
        "self": Menu(
            "menu.self", {"1": Choice("pension", service="pension"), "2": Choice("leave", service="voice_message")}
        ),
    },
    queues={"general": Queue({}, 9), "cards": Queue({"cards": 1}, 9)},
    person="general",
)
TALK = Talk("visit-1", "8001")
SECOND = Second("rating.settled", {"1": "settled", "2": "unsettled"})


def asking(**rating: object) -> Line:
    """The line, which asks more."""
    return replace(LINE, rating=replace(Rating(), **rating))


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
    assert await ask_rating(caller.window(LINE), TALK) == score
    assert caller.said == said
    assert kept(caller) == [RatingKeyed(call_id="call-1", visit="visit-1", adviser="8001", score=score)]


async def test_a_key_cuts_the_question_off() -> None:
    assert await ask_rating(ScriptedCaller(pressed_during={"rating.ask": "5"}).window(LINE), TALK) == 5


async def test_keys_after_the_answer_do_not_cut_off_the_thanks() -> None:
    caller = ScriptedCaller(pressed_during={"rating.ask": "44"})
    assert await ask_rating(caller.window(LINE), TALK) == 4
    assert caller.said == ["rating.ask", "rating.thanks"]


async def test_keys_pressed_while_talking_are_no_rating() -> None:
    caller = ScriptedCaller()
    caller.waiting_keys.extend("31")
    assert await ask_rating(caller.window(LINE), TALK) is None


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
        await ask_rating(caller.window(LINE), TALK)
    assert [fact.score for fact in kept(caller)] == [score]


# A second question, and complaints


@pytest.mark.parametrize(("key", "answer"), [("1", "settled"), ("2", "unsettled"), ("3", None), (None, None)])
async def test_the_lines_second_question_follows_the_points(key: str | None, answer: str | None) -> None:
    caller = ScriptedCaller(["5", key])
    assert await ask_rating(caller.window(asking(second=SECOND)), TALK) == 5
    assert caller.said == ["rating.ask", "rating.settled", "rating.thanks"]
    assert caller.facts == [
        RatingKeyed(call_id="call-1", visit="visit-1", adviser="8001", score=5),
        RatingFollowedUp(call_id="call-1", visit="visit-1", question="rating.settled", answer=answer),
    ]


async def test_whoever_gives_no_points_is_asked_nothing_more() -> None:
    caller = ScriptedCaller([None])
    await ask_rating(caller.window(asking(second=SECOND, complain_at=5)), TALK)
    assert caller.said == ["rating.ask", "goodbye"]
    assert len(caller.facts) == 1


async def test_whoever_hangs_up_at_the_second_question_was_asked_it_and_the_points_stay() -> None:
    caller = ScriptedCaller(["2", HANG_UP])
    with pytest.raises(asyncio.CancelledError):
        await ask_rating(caller.window(asking(second=SECOND)), TALK)
    assert [type(fact) for fact in caller.facts] == [RatingKeyed, RatingFollowedUp]


@pytest.mark.parametrize(("score", "offered"), [(1, True), (2, True), (3, False), (5, False)])
async def test_few_points_lead_to_a_complaint(score: int, offered: bool) -> None:
    caller = ScriptedCaller([str(score)])
    await ask_rating(caller.window(asking(complain_at=2)), TALK)
    assert ("rating.complaint" in caller.said) == offered
    assert caller.said[-1] == "rating.thanks"


async def test_a_complaint_after_a_conversation_is_about_it() -> None:
    caller = ScriptedCaller(["1", "1", "#"], speaks_ms=[5000])
    assert await ask_rating(caller.window(asking(complain_at=2)), TALK) == 1
    assert caller.said[1:] == [
        *("rating.complaint", "complaint.ask", "message.tone", "message.check", "complaint.kept", "goodbye")
    ]
    [left] = [fact for fact in caller.facts if isinstance(fact, VoiceMessageLeft)]
    assert (left.purpose, left.about, left.visit, left.adviser) == ("complaint", "rating", "visit-1", "8001")


@pytest.mark.parametrize("keys", [["1", "0"], ["1", "1", "0"]], ids=["in place of it", "in the middle of it"])
async def test_whoever_is_about_to_complain_may_ask_for_a_person(keys: list[str | None]) -> None:
    caller = ScriptedCaller(keys)
    with pytest.raises(WantsPerson):
        await ask_rating(caller.window(asking(complain_at=2)), TALK)
    assert [fact.score for fact in kept(caller)] == [1]


# After the machine has served


SERVED = ["6", "1", *"990101195804121240", *"246810", "#"]
"""The pension of a citizen, heard once; then in the menu of services again."""


def went(keys: list[str | None], line: Line) -> tuple[ScriptedCaller, object]:
    """A caller and where the line has led."""
    caller = ScriptedCaller([*SERVED, *keys], speaks_ms=[5000])
    return caller, asyncio.run(run_line(caller.window(line, business=FakeBusiness())))


def machine_rated(caller: ScriptedCaller) -> list[AnyFact]:
    return [fact for fact in caller.facts if isinstance(fact, MachineRated | RatingFollowedUp)]


@pytest.mark.parametrize("leaving", [["#", "#"], [None]], ids=["# up to the first menu and beyond", "silent"])
def test_whoever_was_served_and_goes_is_asked_once_and_gone(leaving: list[str | None]) -> None:
    caller, where = went([*leaving, "4"], asking(machine=True))
    assert where == Finished("served")
    assert caller.said[-2:] == ["rating.machine", "rating.thanks"]
    assert machine_rated(caller) == [MachineRated(call_id="call-1", service="pension", score=4)]


@pytest.mark.parametrize("key", ["#", "*", "7", None])
def test_whoever_keys_no_points_is_in_the_menu_and_not_asked_again(key: str | None) -> None:
    caller, where = went(["#", "#", key, "#", "0"], asking(machine=True))
    assert isinstance(where, JoinQueue)
    assert caller.said[-3:] == ["rating.machine", "menu.main", "menu.main"]
    assert machine_rated(caller) == [MachineRated(call_id="call-1", service="pension", score=None)]


@pytest.mark.parametrize(
    "keys", [["#", "#", "0"], [None, "0"], [None, None, None]], ids=["asks", "silent", "says nothing"]
)
def test_a_person_comes_as_soon_as_without_the_question(keys: list[str | None]) -> None:
    """In the silent way to a person, the question takes the place of one try."""
    asked, where = went(keys, asking(machine=True))
    assert isinstance(where, JoinQueue)
    plain, _ = went([None, None, None] if keys[-1] is None else keys, LINE)
    assert len(asked.waits_s) <= len(plain.waits_s)


@pytest.mark.parametrize("keys", [["#", "#", "0"], ["0"]])
def test_where_the_line_does_not_ask_nobody_is_asked(keys: list[str | None]) -> None:
    caller, _ = went(keys, LINE)
    assert machine_rated(caller) == []


def test_whoever_was_not_served_is_not_asked() -> None:
    caller = ScriptedCaller(["6", "2", "#", None, "#", "#", None, None, None], speaks_ms=[5000])
    assert isinstance(asyncio.run(run_line(caller.window(asking(machine=True)))), JoinQueue)
    assert "message.kept" in caller.said
    assert machine_rated(caller) == []


def test_few_points_for_the_machine_lead_to_a_complaint_too() -> None:
    caller, where = went(["#", "#", "1", "2", "1", "*"], asking(machine=True, second=SECOND, complain_at=2))
    assert where == Finished("served")
    assert machine_rated(caller) == [
        MachineRated(call_id="call-1", service="pension", score=1),
        RatingFollowedUp(call_id="call-1", visit="call-1", question="rating.settled", answer="unsettled"),
    ]
    [left] = [fact for fact in caller.facts if isinstance(fact, VoiceMessageLeft)]
    assert (left.purpose, left.visit, left.adviser) == ("complaint", None, None)
    assert caller.said[-1] == "goodbye"


def test_from_the_complaint_a_person_is_reached() -> None:
    caller, where = went(["#", "#", "1", "0"], asking(machine=True, complain_at=2))
    assert isinstance(where, JoinQueue)
    assert caller.said[-1] == "rating.complaint"


def test_whoever_hangs_up_at_the_question_was_asked() -> None:
    caller = ScriptedCaller([*SERVED, None, HANG_UP])
    with pytest.raises(asyncio.CancelledError):
        asyncio.run(run_line(caller.window(asking(machine=True), business=FakeBusiness())))
    assert machine_rated(caller) == [MachineRated(call_id="call-1", service="pension", score=None)]


async def test_the_caller_has_the_silence_to_hang_up_first() -> None:
    caller = ScriptedCaller(["5"])
    await ask_rating(caller.window(LINE), TALK)
    caller.waiting_keys.extend("55")
    await wait_for_hang_up(caller, 5.0)
    assert caller.waits_s == [KEY_WAIT_S, 5.0]
    assert caller.said[-1] == "rating.thanks"


def test_everything_that_flows_say_by_themselves_has_words() -> None:
    words = Catalogue.load(CATALOGUE)
    said = {"rating.ask", "rating.wrong", "rating.thanks", "goodbye", "key.wrong", "key.missing", "key.three_tries"}
    said |= {"closed.today", "closed.tomorrow", "closed.next", "closed.day"} | {f"month.{n}" for n in range(1, 13)}
    assert all(said <= sentences.keys() for sentences in words.sentences.values())
    more = {"rating.machine", "rating.complaint", "rating.settled", "complaint.ask", "complaint.kept"}
    assert all(more <= words.sentences[language].keys() for language in ("zh-CN", "en", "yue"))
